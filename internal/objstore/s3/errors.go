package s3

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptrace"
	"slices"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"

	"launchlake/internal/objstore"
)

// cause is an error of the SDK in words for people. The SDK's own text is long, and says the cause last.
type cause struct {
	text string
	err  error
}

func (c *cause) Error() string { return c.text }
func (c *cause) Unwrap() error { return c.err }

// attempts counts how often a call got a connection to send its request on.
type attempts struct{ connections atomic.Int64 }

// trace returns a context whose requests are counted.
func (a *attempts) trace(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(httptrace.GotConnInfo) { a.connections.Add(1) },
	})
}

// writeError classifies the error of a write. It had certainly no effect if no request went out, or if the only
// one that did was refused.
func (s *Store) writeError(ctx context.Context, op, key string, err error, tries *attempts) error {
	e := s.callError(ctx, op, key, err)
	sent := tries.connections.Load()
	if sent == 0 || sent == 1 && isRefusal(err) {
		e.Classes = append(e.Classes, objstore.ErrNotStored)
	}
	return e
}

// isRefusal reports whether an answer says that the request was not carried out. A conflict does not: it tells of
// another request under way, whose end it does not know.
func isRefusal(err error) bool {
	status := statusOf(err)
	switch status {
	case http.StatusConflict, http.StatusPreconditionFailed:
		return false
	case http.StatusNotImplemented:
		return true
	}
	return status >= 300 && status < 500
}

// callError gives an error its place, its class, its words and its advice.
func (s *Store) callError(ctx context.Context, op, key string, err error) *objstore.Error {
	e := &objstore.Error{Op: op, At: s.at(key), Err: describe(err)}
	if ctx.Err() != nil {
		e.Err, e.Classes = &cause{ctx.Err().Error(), err}, []error{ctx.Err()}
		return e
	}
	status, code := statusOf(err), codeOf(err)
	switch {
	case isCutAnswer(err):
		e.Err = &cause{"the answer broke off", err}
		e.Classes = []error{objstore.ErrUnavailable}
		e.Advice = "try again later"
	case code == "NoSuchBucket":
		e.Classes = []error{objstore.ErrUnavailable}
		e.Advice = fmt.Sprintf("make the bucket %s or correct the URL", s.bucket)
	case status == http.StatusNotFound && code != "NoSuchUpload":
		e.Err, e.Classes = fs.ErrNotExist, nil
	case code == codeSkewed:
		e.Classes = []error{objstore.ErrUnavailable}
		e.Advice = "set this machine's clock, or the store's: they differ by minutes"
	case isDenial(status, code):
		e.Classes = []error{objstore.ErrDenied}
		e.Advice = "check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and what they permit"
	case status >= 300 && status < 400:
		e.Classes = []error{objstore.ErrUnavailable}
		e.Advice = "the bucket is elsewhere: check AWS_REGION and the endpoint"
	case status == http.StatusNotImplemented:
		e.Advice = "this store lacks what a lake needs"
	case status >= 500 || status == http.StatusTooManyRequests:
		e.Classes = []error{objstore.ErrUnavailable}
		e.Advice = "try again later"
	case status == 0:
		s.noAnswer(e, err)
	}
	return e
}

// noAnswer classifies an error that came without an answer of the store.
func (s *Store) noAnswer(e *objstore.Error, err error) {
	switch {
	case errors.Is(err, errNoCredentials):
		e.Err, e.Classes = &cause{errNoCredentials.Error(), err}, []error{objstore.ErrDenied}
		e.Advice = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE"
	case isTransport(err):
		e.Classes = []error{objstore.ErrUnavailable}
		e.Advice = "check that the store runs and that the endpoint is right"
	}
}

// isCutAnswer reports whether the store's answer broke off, as in the middle of a listing or before a refusal said its reason.
func isCutAnswer(err error) bool {
	_, unreadable := errors.AsType[*smithy.DeserializationError](err)
	return unreadable && (statusOf(err) == http.StatusOK || errors.Is(err, io.ErrUnexpectedEOF))
}

// denials are codes that stores give with a status other than 401 or 403.
var denials = []string{
	"AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken", "TokenRefreshRequired",
	"AuthorizationHeaderMalformed", "InvalidSecurity",
}

// codeSkewed is a request that was signed at another time than the store's.
const codeSkewed = "RequestTimeTooSkewed"

func isDenial(status int, code string) bool {
	return status == http.StatusUnauthorized || status == http.StatusForbidden || slices.Contains(denials, code)
}

func isTransport(err error) bool {
	_, isNet := errors.AsType[net.Error](err)
	_, isOp := errors.AsType[*net.OpError](err)
	_, isSend := errors.AsType[interface {
		error
		ConnectionError() bool
	}](err)
	_, isQuota := errors.AsType[ratelimit.QuotaExceededError](err)
	return isNet || isOp || isSend || isQuota
}

func statusOf(err error) int {
	if response, ok := errors.AsType[*awshttp.ResponseError](err); ok {
		return response.HTTPStatusCode()
	}
	return 0
}

func codeOf(err error) string {
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		return api.ErrorCode()
	}
	return ""
}

// describe shortens an error of the SDK to what the store or the network said.
func describe(err error) error {
	api, isAPI := errors.AsType[smithy.APIError](err)
	response, isAnswer := errors.AsType[*awshttp.ResponseError](err)
	isAnswer = isAnswer && response.HTTPStatusCode() != 0 // the SDK has one for a call without an answer too
	switch {
	case isAPI && isAnswer && response.RequestID != "":
		return &cause{fmt.Sprintf("%s (%s, status %d, request %s)", api.ErrorMessage(), api.ErrorCode(), response.HTTPStatusCode(), response.RequestID), err}
	case isAPI && isAnswer:
		return &cause{fmt.Sprintf("%s (%s, status %d)", api.ErrorMessage(), api.ErrorCode(), response.HTTPStatusCode()), err}
	case isAnswer:
		return &cause{fmt.Sprintf("the store answered with status %d", response.HTTPStatusCode()), err}
	}
	if op, ok := errors.AsType[*net.OpError](err); ok {
		return &cause{op.Error(), err}
	}
	operation, ok := errors.AsType[*smithy.OperationError](err)
	if !ok {
		return err
	}
	inner := operation.Err
	for errors.Unwrap(inner) != nil {
		inner = errors.Unwrap(inner)
	}
	return &cause{inner.Error(), err}
}
