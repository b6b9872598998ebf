package delta

// FormatPartitionValue gives a value as the log spells it in PartitionValues; nil for null. Values are Go values as in
// [ColumnStats], besides []byte for binary.
func FormatPartitionValue(t Type, value any) (*string, error) { panic("being built") }

// ParsePartitionValue is the reverse of FormatPartitionValue; it also reads what other writers spell.
func ParsePartitionValue(t Type, text *string) (any, error) { panic("being built") }
