package tables

import (
	"github.com/berth-ecs/berth/elb"
	"github.com/berth-ecs/berth/store"
)

// Exists says, by AWS's error, that there is nothing of an ARN, whatever it names. 3 keys, guarded.
func Exists(tx store.Tx, h elb.Home, arn string) error {
	_, kind, _, ok := elb.ParseARN(arn)
	if !ok {
		return elb.BadARN("resource", arn)
	}
	var err error
	switch kind {
	case "loadbalancer":
		_, err = LoadBalancer(tx, h, arn)
	case "listener":
		_, _, err = Listener(tx, h, arn)
	case "listener-rule":
		_, _, _, err = Rule(tx, h, arn)
	case "targetgroup":
		_, err = TargetGroup(tx, h, arn)
	default:
		err = elb.BadARN("resource", arn)
	}
	return err
}
