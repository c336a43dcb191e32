package lifecycle

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/berth-ecs/berth/registry"
)

// Image is what a policy sees of one.
type Image struct {
	Digest   string
	Tags     []string
	PushedAt time.Time
	PulledAt time.Time // zero: never
	Parents  int       // how many lists of the repository refer to it; such an image goes only with the last of them
}

// Expired is an image and the priority of the rule that expires it.
type Expired struct {
	Image
	Priority int32
}

// Evaluate answers the images that a policy expires now, by rule and then oldest first.
func (p Policy) Evaluate(images []Image, now time.Time) []Expired {
	left := slices.Clone(images)
	var out []Expired
	for _, r := range p.Rules {
		var mine, others []Image
		for _, i := range left {
			if i.Parents == 0 && r.Selection.selects(i) {
				mine = append(mine, i)
			} else {
				others = append(others, i)
			}
		}
		for _, i := range r.Selection.beyond(mine, now) {
			out = append(out, Expired{i, *r.Priority})
		}
		left = others
	}
	return out
}

// selects says whether the rule is about an image. With tag lists, each prefix or pattern must fit some tag.
func (s Selection) selects(i Image) bool {
	switch s.TagStatus {
	case Untagged:
		return len(i.Tags) == 0
	case Any:
		return true
	}
	for _, prefix := range s.Prefixes {
		if !slices.ContainsFunc(i.Tags, func(t string) bool { return strings.HasPrefix(t, prefix) }) {
			return false
		}
	}
	for _, pattern := range s.Patterns {
		if !slices.ContainsFunc(i.Tags, func(t string) bool { return registry.Wildcard(pattern, t) }) {
			return false
		}
	}
	return len(i.Tags) > 0
}

// beyond answers those of the images that are too many or too old, oldest first.
func (s Selection) beyond(images []Image, now time.Time) []Image {
	slices.SortFunc(images, func(a, b Image) int {
		return cmp.Or(a.PushedAt.Compare(b.PushedAt), strings.Compare(a.Digest, b.Digest))
	})
	if s.CountType == More {
		return images[:max(0, int64(len(images))-*s.CountNumber)]
	}
	age := time.Duration(min(*s.CountNumber, 100*365)) * 24 * time.Hour
	var out []Image
	for _, i := range images {
		last := i.PushedAt
		if s.CountType == Pulled && i.PulledAt.After(last) {
			last = i.PulledAt
		}
		if now.Sub(last) > age {
			out = append(out, i)
		}
	}
	return out
}

// Next is when an image that stays now may expire by its age; zero when none will.
func (p Policy) Next(images []Image, now time.Time) time.Time {
	var next time.Time
	for _, r := range p.Rules {
		if r.Selection.CountType == More {
			continue
		}
		age := time.Duration(min(*r.Selection.CountNumber, 100*365)) * 24 * time.Hour
		for _, i := range images {
			if at := i.PushedAt.Add(age); at.After(now) && (next.IsZero() || at.Before(next)) {
				next = at
			}
		}
	}
	return next
}
