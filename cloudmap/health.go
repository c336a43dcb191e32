package cloudmap

import (
	"time"

	shape "github.com/berth-ecs/berth/wire/shape/servicediscovery"
)

// Health is an instance's health as Cloud Map tells it; h is nil when nobody judged it.
func (s *Service) Health(i *Instance, h *InstanceHealth) string {
	switch {
	case s.Check == nil && s.Custom == nil:
		return shape.HealthStatusUnknown
	case h != nil:
		return h.Status
	case s.Custom != nil && i.Attributes[AttrInitHealth] == shape.HealthStatusUnhealthy:
		return shape.HealthStatusUnhealthy
	}
	return shape.HealthStatusHealthy
}

// Serves says whether names prefer the instance: those that do not are answered only when none does.
func (s *Service) Serves(i *Instance, h *InstanceHealth) bool {
	return s.Health(i, h) != shape.HealthStatusUnhealthy
}

// interval is Cloud Map's unit of patience.
const interval = 30 * time.Second

// Patience is how long a health that a client tells must stand before it counts.
func (c *Custom) Patience() time.Duration { return time.Duration(c.Threshold) * interval }

// Tell is the record after a client told a health at a time; was is nil when nobody judged before. It is was when nothing changes.
func (s *Service) Tell(i *Instance, was *InstanceHealth, status string, now time.Time) *InstanceHealth {
	next := InstanceHealth{Home: i.Home, Service: i.Service, Instance: i.ID, Status: s.Health(i, was), At: i.RegisteredAt}
	if was != nil {
		next = *was
	}
	patience := time.Duration(0)
	if s.Custom != nil {
		patience = s.Custom.Patience()
	}
	switch {
	case status == next.Status:
		next.Next, next.Due = "", time.Time{}
	case patience == 0:
		next.Status, next.At, next.Next, next.Due = status, now, "", time.Time{}
	case status != next.Next:
		next.Next, next.Due = status, now.Add(patience)
	}
	if was != nil && next == *was {
		return was
	}
	return &next
}

// Ripen is the record after what a client told became true; h itself when there is nothing, or not yet.
func (h *InstanceHealth) Ripen(now time.Time) *InstanceHealth {
	if h.Next == "" || now.Before(h.Due) {
		return h
	}
	next := *h
	next.Status, next.At, next.Next, next.Due = h.Next, h.Due, "", time.Time{}
	return &next
}
