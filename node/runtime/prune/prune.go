// Package prune removes images that a node's tasks do not use.
//
// Guarantees: an image that a task's lease keeps, or that is being pulled, stays; only images that were pulled by the node go; what
// only they kept on the disk is gone when Images returns.
package prune

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/containerd/containerd/v2/client"
	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/containerd/v2/core/leases"
	"github.com/containerd/errdefs"
)

// labelUsed is on images: when a task was last seen to use it.
const labelUsed = "berth.used"

// Rules say which images may go.
type Rules struct {
	MinimumAge time.Duration // how long an image was not used
	Most       int           // how many go, the longest unused first
}

// Flying are the images that are being pulled, and when each was pulled last.
type Flying struct {
	mu   sync.Mutex
	n    map[string]int
	last map[string]time.Time
}

// Begin says that an image is being pulled, until done. It waits while that image is being removed.
func (f *Flying) Begin(name string) (done func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.n == nil {
		f.n, f.last = map[string]int{}, map[string]time.Time{}
	}
	f.n[name]++
	return func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.last[name] = time.Now()
		if f.n[name]--; f.n[name] == 0 {
			delete(f.n, name)
		}
	}
}

// forget lets go of the images that are not there and were not pulled since at: a name that was never found is asked for once.
func (f *Flying) forget(there []images.Image, at time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	names := map[string]bool{}
	for _, i := range there {
		names[i.Name] = true
	}
	maps.DeleteFunc(f.last, func(name string, last time.Time) bool { return !names[name] && last.Before(at) })
}

// candidate is an image that was pulled here.
type candidate struct {
	name  string
	used  time.Time // last
	inUse bool
}

// chosen are the images that go, the longest unused first.
func (p Rules) chosen(all []candidate, now time.Time) []string {
	var names []string
	slices.SortFunc(all, func(a, b candidate) int { return cmp.Or(a.used.Compare(b.used), strings.Compare(a.name, b.name)) })
	for _, c := range all {
		if len(names) < p.Most && !c.inUse && now.Sub(c.used) >= p.MinimumAge {
			names = append(names, c.name)
		}
	}
	return names
}

// Node is where images are.
type Node struct {
	Client *client.Client
	Flying *Flying
	Pulled string // label of images that were pulled
	Task   string // label of leases of tasks
}

// Images removes images and answers their names.
func (r Node) Images(ctx context.Context, p Rules) ([]string, error) {
	asked := time.Now()
	all, err := r.candidates(ctx, asked)
	if err != nil {
		return nil, err
	}
	var removed []string
	var errs []error
	for _, name := range p.chosen(all, time.Now()) {
		gone, err := r.removeImage(ctx, name, asked)
		if errs = append(errs, err); gone {
			removed = append(removed, name)
		}
	}
	if removed != nil {
		errs = append(errs, r.collect(ctx))
	}
	return removed, errors.Join(errs...)
}

// candidates are the images that were pulled here. That one is in use is written on it, so that its age counts from now also
// after a restart.
func (r Node) candidates(ctx context.Context, now time.Time) ([]candidate, error) {
	list, err := r.Client.ImageService().List(ctx)
	if err != nil {
		return nil, err
	}
	held, err := r.held(ctx)
	if err != nil {
		return nil, err
	}
	r.Flying.forget(list, now)
	var all []candidate
	for _, i := range list {
		if i.Labels[r.Pulled] == "" {
			continue
		}
		c := candidate{name: i.Name, used: i.CreatedAt, inUse: held[i.Target.Digest.String()]}
		written, err := time.Parse(time.RFC3339, i.Labels[labelUsed])
		if err == nil && written.After(c.used) {
			c.used = written
		}
		r.Flying.mu.Lock()
		seen := r.Flying.last[i.Name]
		r.Flying.mu.Unlock()
		if c.inUse {
			seen = now
		}
		if seen.Sub(c.used) > time.Second { // the label has seconds
			c.used = seen
			if err := r.noteUse(ctx, i, seen); err != nil {
				return nil, err
			}
		}
		all = append(all, c)
	}
	return all, nil
}

// held are the digests of the images that tasks keep.
func (r Node) held(ctx context.Context) (map[string]bool, error) {
	list, err := r.Client.LeasesService().List(ctx)
	if err != nil {
		return nil, err
	}
	digests := map[string]bool{}
	for _, l := range list {
		if l.Labels[r.Task] == "" {
			continue
		}
		resources, err := r.Client.LeasesService().ListResources(ctx, l)
		if errdefs.IsNotFound(err) {
			continue // its task ended meanwhile
		}
		if err != nil {
			return nil, err
		}
		for _, res := range resources {
			if res.Type == "content" {
				digests[res.ID] = true
			}
		}
	}
	return digests, nil
}

func (r Node) noteUse(ctx context.Context, i images.Image, at time.Time) error {
	_, err := r.Client.ImageService().Update(ctx, images.Image{
		Name: i.Name, Target: i.Target, Labels: map[string]string{labelUsed: at.UTC().Format(time.RFC3339)},
	}, "labels."+labelUsed)
	if errdefs.IsNotFound(err) {
		return nil
	}
	return err
}

// patience is how long a removal may take: pulls wait for it.
const patience = 10 * time.Second

// removeImage removes an image that is not being pulled, and was not since it was asked who has it.
func (r Node) removeImage(ctx context.Context, name string, asked time.Time) (bool, error) {
	r.Flying.mu.Lock()
	defer r.Flying.mu.Unlock()
	if last := r.Flying.last[name]; r.Flying.n[name] > 0 || last.After(asked) || time.Since(last) < time.Second {
		return false, nil
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	err := r.Client.ImageService().Delete(ctx, name)
	if errdefs.IsNotFound(err) {
		return false, nil
	}
	delete(r.Flying.last, name)
	return err == nil, err
}

// collect has containerd remove at once what nothing refers to.
func (r Node) collect(ctx context.Context) error {
	l, err := r.Client.LeasesService().Create(ctx, leases.WithRandomID(), leases.WithExpiration(time.Hour))
	if err != nil {
		return err
	}
	return r.Client.LeasesService().Delete(ctx, l, leases.SynchronousDelete)
}
