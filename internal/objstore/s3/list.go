package s3

import (
	"context"
	"iter"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"launchlake/internal/objstore"
)

// List implements [objstore.Store]. It asks for a page when the one before is used up. Objects whose names are no
// keys, such as the "folders" that consoles make, are left out.
func (s *Store) List(ctx context.Context, prefix, after string) iter.Seq2[objstore.Info, error] {
	return func(yield func(objstore.Info, error) bool) {
		if !objstore.CanBegin(prefix) {
			return
		}
		pages := s3.NewListObjectsV2Paginator(s.client, s.listInput(prefix, after))
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				yield(objstore.Info{}, s.callError(ctx, "list", prefix, err))
				return
			}
			for _, object := range page.Contents {
				if info, ok := s.info(object); ok && !yield(info, nil) {
					return
				}
			}
		}
	}
}

func (s *Store) listInput(prefix, after string) *s3.ListObjectsV2Input {
	input := &s3.ListObjectsV2Input{Bucket: &s.bucket, Prefix: aws.String(s.prefix + prefix)}
	if after != "" {
		input.StartAfter = aws.String(s.prefix + after)
	}
	return input
}

func (s *Store) info(object types.Object) (objstore.Info, bool) {
	key := strings.TrimPrefix(aws.ToString(object.Key), s.prefix)
	info := objstore.Info{Key: key, Size: aws.ToInt64(object.Size), ModTime: aws.ToTime(object.LastModified).UTC()}
	return info, objstore.CheckKey(key) == nil
}
