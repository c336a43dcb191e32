package elb

import "strconv"

// FailsOpen says whether every target of a group gets requests because too few are healthy, of all that a node sends to.
func (g *TargetGroup) FailsOpen(set map[string]string, healthy, all int) bool {
	least, _ := strconv.Atoi(g.Attribute(set, AttrRouteCount))
	percent, _ := strconv.Atoi(g.Attribute(set, AttrRoutePercentage)) // off is 0
	return healthy < all && (healthy < least || healthy*100 < percent*all)
}
