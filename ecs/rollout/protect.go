package rollout

import "slices"

// protected says whether scale-in, a deployment or a DRAINING instance has to leave a task alone; another plan is made
// when that ends. What is unhealthy is replaced, protected or not.
func (p *planner) protected(t Task) bool {
	wait := t.ProtectedUntil.Sub(p.Now)
	if wait <= 0 || t.unhealthy() {
		return false
	}
	p.after(wait)
	return true
}

// sayProtected says so when only protected tasks keep the service from what it should be.
func (p *planner) sayProtected() {
	tooMany := p.leaving
	if len(p.good) > p.desired {
		tooMany = p.wanted
	}
	if !slices.ContainsFunc(tooMany, p.protected) || len(p.out.Starts) > 0 || len(p.out.Stops) > 0 {
		p.resolve(causeProtected)
		return
	}
	p.say(causeProtected, "was unable to reach steady state because (deployment "+p.target.ID+") was unable to scale in. "+
		"Reason: The number of protected tasks are more than the desired count of tasks.")
}
