package s3

import (
	"errors"
	"net"
	"testing"
	"testing/synctest"
	"time"
)

// tries asks as the SDK does until a call is given up, and says how long that took.
func tries(t *testing.T, p patience) time.Duration {
	t.Helper()
	refused := &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connection refused")}
	begin := time.Now()
	for attempt := 1; attempt < p.MaxAttempts() && p.IsErrorRetryable(refused); attempt++ {
		delay, err := p.RetryDelay(attempt, refused)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(delay)
	}
	return time.Since(begin)
}

func TestAStoreThatNeverAnsweredIsGivenUpSoonAndOneThatDidIsNot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPatience(maxAttempts)
		if took := tries(t, p); took > firstPatience {
			t.Errorf("a store that never answered is given up after %v, want %v at most", took, firstPatience)
		}
		time.Sleep(firstPatience)
		if took := tries(t, p); took > 0 {
			t.Errorf("the next call takes %v, want no wait", took)
		}
		release, err := p.GetAttemptToken(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := release(nil); err != nil {
			t.Fatal(err)
		}
		const calls = 20 // the waits are random
		var took time.Duration
		for range calls {
			took += tries(t, p)
		}
		if took/calls < firstPatience {
			t.Errorf("a store that answered is given up after %v on average, want more than %v", took/calls, firstPatience)
		}
	})
}
