package balancing

import (
	"os"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
)

const (
	clients = 20
	rate    = 1000 // requests a second that all clients together aim at
	asked   = 20_000
	nightly = 1_000_000
)

// long says whether there is time for what takes minutes.
func long() bool { return os.Getenv("BERTH_TEST_LONG") != "" }

// rolling: nobody notices that all ten tasks are replaced, where there is time again and again until enough was asked.
func (w *world) rolling(t *testing.T) {
	enough, aim := asked, rate
	if long() {
		enough, aim = nightly, 2*rate
	}
	l := begin(t, clients, aim, w.clients("/", "one", "two", "three")["HTTP/1.1"])
	l.reach(t, rate/10)
	began := time.Now()
	rolls := 0
	for rolls == 0 || long() && l.count() < enough {
		answer := []string{"two", "three"}[rolls%2]
		change(t, &ecs.UpdateServiceInput{Service: aws.String("fleet"), TaskDefinition: aws.String(define(t, "fleet", answer))})
		deployed(t, "fleet")
		rolls++
	}
	took := time.Since(began)
	l.reach(t, max(0, enough-l.count()))
	l.result(t, "ten tasks are replaced", 0)
	t.Logf("%d deployments took %s, %.0f requests/s", rolls, took.Round(100*time.Millisecond), float64(l.count())/time.Since(began).Seconds())
}
