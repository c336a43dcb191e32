package crash

import (
	"bufio"
	"fmt"
	"hash/fnv"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/berth-ecs/berth/internal/failpoint"
	"github.com/berth-ecs/berth/test/installation"
	"github.com/berth-ecs/berth/test/rounds"
)

// shot is a process killed at one hit of a failpoint.
type shot struct {
	point failpoint.Point
	hit   int
	round int  // draws the load
	named bool // it was asked for, and is waited for
}

func (s shot) String() string { return fmt.Sprintf("%s %d %d", s.point, s.hit, s.round) }

// again reads what String wrote.
func again(text string) (s shot, err error) {
	s.named = true
	fields := strings.Fields(text)
	if len(fields) != 3 {
		return s, fmt.Errorf("%q: want a point, a hit and a round", text)
	}
	s.point = failpoint.Point(fields[0])
	if s.hit, err = strconv.Atoi(fields[1]); err == nil {
		s.round, err = strconv.Atoi(fields[2])
	}
	return s, err
}

// role is the process that is begun with the point armed. hold is the node's child and has its environment.
func (s shot) role() installation.Role {
	if s.point.Process() == "server" {
		return installation.Server
	}
	return installation.Node
}

// deck deals points: each that is known as often as every other, in an order of the seed's.
type deck struct {
	seed  uint64
	known map[failpoint.Point]int // how often it was dealt
	fired map[failpoint.Point]int
	seen  string // the file in which processes say what they passed
}

func newDeck(t *testing.T, seed uint64) *deck {
	t.Helper()
	d := &deck{seed: seed, known: map[failpoint.Point]int{}, fired: map[failpoint.Point]int{}, seen: filepath.Join(t.TempDir(), "seen")}
	for _, p := range failpoint.All() {
		if !slices.Contains(elsewhere, p) {
			d.known[p] = 0
		}
	}
	return d
}

// Points of a first start and of what happens hours later have tests of their own.
var elsewhere = []failpoint.Point{
	failpoint.SaveInstance + ":before", failpoint.SaveInstance + ":after", failpoint.Forget + ":before", failpoint.Forget + ":after",
	failpoint.HoldRemove + ":before", failpoint.HoldRemove + ":after",
}

// learn adds the kinds of commits that were passed since.
func (d *deck) learn() error {
	f, err := os.Open(d.seen)
	if err != nil {
		return err
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		p := failpoint.Point(lines.Text())
		if _, ok := d.known[p]; !ok && strings.HasPrefix(lines.Text(), string(failpoint.Commit)) {
			d.known[p] = 0
		}
	}
	return nil
}

// deal answers the next shot. A point that was not reached before is tried at its first hit.
func (d *deck) deal(round int) shot {
	points := make([]failpoint.Point, 0, len(d.known))
	for p := range d.known {
		points = append(points, p)
	}
	order := func(p failpoint.Point) uint64 {
		h := fnv.New64a()
		fmt.Fprint(h, d.seed, p)
		return h.Sum64()
	}
	slices.SortFunc(points, func(a, b failpoint.Point) int {
		if d.known[a] != d.known[b] {
			return d.known[a] - d.known[b]
		}
		if order(a) < order(b) {
			return -1
		}
		return 1
	})
	p := points[0]
	hit := 1
	if d.known[p] == d.fired[p] {
		hit = rounds.Between(rounds.Source(d.seed, round, 4), 1, 4)
	}
	d.known[p]++
	return shot{point: p, hit: hit, round: round}
}

// never lists what was dealt and not once reached.
func (d *deck) never() (out []string) {
	for p, n := range d.known {
		if n > 0 && d.fired[p] == 0 {
			out = append(out, string(p))
		}
	}
	slices.Sort(out)
	return out
}
