package delta

// NewDataFileName makes a name that no other file has, such as "part-…-c000.zstd.parquet" for "zstd.parquet".
func NewDataFileName(ext string) string { panic("being built") }

// PartitionPath gives the folder of a partition, "date=2024-01-01/kind=a%2Fb", in the manner of Hive; "" without columns.
// The folder is for people: readers use PartitionValues.
func PartitionPath(columns []string, values map[string]*string) string { panic("being built") }
