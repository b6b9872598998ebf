// Command setup makes a new MinIO ready for the lake: a bucket, and a user that may use this bucket and nothing else.
// Run again it changes nothing, but gives the user the secret key that it is told: this is how that key is rotated.
//
//	setup bucket   with ENDPOINT, MINIO_ROOT_USER, MINIO_ROOT_PASSWORD, BUCKET, ACCESS_KEY and SECRET_KEY
//	setup health   asks the MinIO of this container whether it is ready
package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/minio/madmin-go/v3"
	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

const (
	timeout = time.Minute
	ready   = "http://localhost:9000/minio/health/ready"
	policy  = "lake"
)

// policyOf lets its user read, write and delete the objects of a bucket.
const policyOf = `{"Version":"2012-10-17","Statement":[
{"Effect":"Allow","Action":["s3:GetBucketLocation","s3:ListBucket","s3:ListBucketMultipartUploads"],"Resource":["arn:aws:s3:::%[1]s"]},
{"Effect":"Allow","Action":["s3:GetObject","s3:PutObject","s3:DeleteObject","s3:AbortMultipartUpload","s3:ListMultipartUploadParts"],"Resource":["arn:aws:s3:::%[1]s/*"]}]}`

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "setup:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) == 1 && args[0] == "health" {
		return health(ctx)
	}
	if len(args) == 1 && args[0] == "bucket" {
		return setUp(ctx)
	}
	return fmt.Errorf("want bucket or health, not %q", args)
}

func health(ctx context.Context) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, ready, nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", ready, response.Status)
	}
	return nil
}

func setUp(ctx context.Context) error {
	variables := map[string]string{}
	for _, name := range []string{"ENDPOINT", "MINIO_ROOT_USER", "MINIO_ROOT_PASSWORD", "BUCKET", "ACCESS_KEY", "SECRET_KEY"} {
		if variables[name] = os.Getenv(name); variables[name] == "" {
			return fmt.Errorf("%s is not set", name)
		}
	}
	bucket, user := variables["BUCKET"], variables["ACCESS_KEY"]
	root := credentials.NewStaticV4(variables["MINIO_ROOT_USER"], variables["MINIO_ROOT_PASSWORD"], "")
	if err := makeBucket(ctx, variables["ENDPOINT"], root, bucket); err != nil {
		return fmt.Errorf("make the bucket %s: %w", bucket, err)
	}
	admin, err := madmin.NewWithOptions(variables["ENDPOINT"], &madmin.Options{Creds: root})
	if err != nil {
		return err
	}
	if err := admin.AddCannedPolicy(ctx, policy, fmt.Appendf(nil, policyOf, bucket)); err != nil {
		return fmt.Errorf("make the policy %s: %w", policy, err)
	}
	if err := admin.AddUser(ctx, user, variables["SECRET_KEY"]); err != nil {
		return fmt.Errorf("make the user %s: %w", user, err)
	}
	if err := attach(ctx, admin, user); err != nil {
		return fmt.Errorf("give the user %s the policy %s: %w", user, policy, err)
	}
	fmt.Printf("bucket %s and user %s are ready\n", bucket, user)
	return nil
}

func makeBucket(ctx context.Context, endpoint string, root *credentials.Credentials, bucket string) error {
	client, err := minio.New(endpoint, &minio.Options{Creds: root})
	if err != nil {
		return err
	}
	exists, err := client.BucketExists(ctx, bucket)
	if err != nil || exists {
		return err
	}
	return client.MakeBucket(ctx, bucket, minio.MakeBucketOptions{})
}

func attach(ctx context.Context, admin *madmin.AdminClient, user string) error {
	_, err := admin.AttachPolicy(ctx, madmin.PolicyAssociationReq{Policies: []string{policy}, User: user})
	if madmin.ToErrorResponse(err).Code == "XMinioAdminPolicyChangeAlreadyApplied" {
		return nil
	}
	return err
}
