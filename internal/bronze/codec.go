package bronze

import (
	"fmt"

	"github.com/klauspost/compress/zstd"
	parquetzstd "github.com/parquet-go/parquet-go/compress/zstd"
)

// codec compresses pages by zstd at its fastest.
//
// In a long page of documents nearly all is a repetition of what came before. Coding the letters of the rest as well would make it a
// seventh smaller, and take a quarter longer to write and half as long again to read. Short pages have more to gain from it, and hashes all.
type codec struct {
	parquetzstd.Codec // unpacks
	short, long       *zstd.Encoder
}

// longPage is the least size of a long page, in bytes.
const longPage = 1 << 20

// compression is shared by all files, for its encoders hold megabytes of history each.
var compression = newCodec()

func newCodec() *codec {
	return &codec{
		short: newEncoder(zstd.WithWindowSize(longPage)),
		long:  newEncoder(zstd.WithNoEntropyCompression(true)),
	}
}

// newEncoder makes an encoder of one page at a time. Two files are only written at once while one of them is completed.
func newEncoder(o zstd.EOption) *zstd.Encoder {
	encoder, err := zstd.NewWriter(nil, o, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1),
		zstd.WithEncoderCRC(false), zstd.WithZeroFrames(true))
	if err != nil {
		panic(fmt.Sprintf("bronze: options of zstd: %v", err)) // they are constant
	}
	return encoder
}

// roomy is more than the documents of a row group usually take. The writer puts its next page where the one before was compressed to:
// a buffer that grows page by page is copied, and its memory touched, several times over. Room that is not used costs nothing.
const roomy = 5 << 20

// Encode implements [compress.Codec].
func (c *codec) Encode(to, page []byte) ([]byte, error) {
	encoder := c.short
	if len(page) >= longPage {
		encoder = c.long
	}
	if cap(to) < roomy {
		to = make([]byte, 0, roomy)
	}
	return encoder.EncodeAll(page, to[:0]), nil
}
