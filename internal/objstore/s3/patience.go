package s3

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
)

const (
	maxAttempts = 5
	// maxBackoff is the longest wait between attempts: an outage of some seconds is waited out.
	maxBackoff = 4 * time.Second
	// firstPatience is how long a store is asked that has never answered: a wrong endpoint is likelier than an outage.
	firstPatience = 4 * time.Second
	firstDelay    = 250 * time.Millisecond
)

// patience says how often calls are repeated. A store that has answered once is given more time than one that has not.
type patience struct {
	aws.RetryerV2
	answered *atomic.Bool
	began    *atomic.Int64 // Unix nanoseconds of the first failure; 0: none yet
}

func newPatience(attempts int) patience {
	standard := retry.NewStandard(func(o *retry.StandardOptions) { o.MaxAttempts, o.MaxBackoff = attempts, maxBackoff })
	// The SDK corrects its clock by the store's answers, but repeats the call only when the clocks differ at that moment.
	both := retry.AddWithErrorCodes(standard, codeSkewed)
	return patience{both.(aws.RetryerV2), &atomic.Bool{}, &atomic.Int64{}}
}

// GetAttemptToken implements [aws.RetryerV2]. What it returns is told of the outcome of each attempt.
func (p patience) GetAttemptToken(ctx context.Context) (func(error) error, error) {
	release, err := p.RetryerV2.GetAttemptToken(ctx)
	if err != nil {
		return nil, err
	}
	return func(outcome error) error {
		if _, answer := errors.AsType[*awshttp.ResponseError](outcome); outcome == nil || answer && statusOf(outcome) != 0 {
			p.answered.Store(true)
		}
		return release(outcome)
	}, nil
}

// IsErrorRetryable implements [aws.Retryer].
func (p patience) IsErrorRetryable(err error) bool {
	if !p.answered.Load() {
		now := time.Now().UnixNano()
		p.began.CompareAndSwap(0, now)
		if time.Duration(now-p.began.Load()) > firstPatience {
			return false
		}
	}
	return isCutAnswer(err) || p.RetryerV2.IsErrorRetryable(err)
}

// RetryDelay implements [aws.Retryer].
func (p patience) RetryDelay(attempt int, err error) (time.Duration, error) {
	delay, failure := p.RetryerV2.RetryDelay(attempt, err)
	if !p.answered.Load() {
		delay = min(delay, firstDelay<<min(attempt-1, 3))
	}
	return delay, failure
}
