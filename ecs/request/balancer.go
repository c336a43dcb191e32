package request

import (
	"regexp"
	"strings"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/target"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// mostBalancers is how many target groups a service has at most: ECS's number.
const mostBalancers = 5

var (
	groupARN = regexp.MustCompile(`^arn:aws:elasticloadbalancing:[a-z0-9-]+:\d{12}:targetgroup/[A-Za-z0-9-]+/[0-9a-zA-Z]+$`)
	ruleARN  = regexp.MustCompile(`^arn:aws:elasticloadbalancing:[a-z0-9-]+:\d{12}:(listener-rule|listener)/(app|net)/[A-Za-z0-9-]+(/[0-9a-zA-Z]+)+$`)
	roleARN  = regexp.MustCompile(`^arn:aws:iam::\d{12}:role/.+$`)
)

// CheckBalancers is all that can be said of the load balancers of a request without the store.
func CheckBalancers(lbs []shape.LoadBalancer) error {
	if len(lbs) > mostBalancers {
		return Invalid("load balancers can have at most %d items.", mostBalancers)
	}
	type end struct {
		group, container string
		port             int32
	}
	seen := map[end]bool{}
	for _, lb := range lbs {
		if err := checkBalancer(lb); err != nil {
			return err
		}
		e := end{aws.Val(lb.TargetGroupArn), aws.Val(lb.ContainerName), aws.Val(lb.ContainerPort)}
		if seen[e] {
			return Invalid("The target group %s is named twice for port %d of container %s.", e.group, e.port, e.container)
		}
		seen[e] = true
	}
	return nil
}

func checkBalancer(lb shape.LoadBalancer) error {
	group, classic := aws.Val(lb.TargetGroupArn), aws.Val(lb.LoadBalancerName)
	switch {
	case group != "" && classic != "":
		return Invalid("Both targetGroupArn and loadBalancerName are specified. Remove one and retry.")
	case classic != "":
		return Invalid("The load balancer %s does not exist. Classic Load Balancers are not available in this region: "+
			"specify the targetGroupArn of an Application or Network Load Balancer.", classic)
	case group == "":
		return Invalid("A load balancer must have a targetGroupArn.")
	case !groupARN.MatchString(group):
		return Invalid("Unable to validate the specified targetGroupArn: %s is not the ARN of a target group.", group)
	case aws.Val(lb.ContainerName) == "":
		return Invalid("Container name cannot be blank for load balancers.")
	case lb.ContainerPort == nil:
		return Invalid("Container port cannot be blank for load balancers.")
	case *lb.ContainerPort < 1 || *lb.ContainerPort > 65535:
		return Invalid("Invalid container port: %d. It must be between 1 and 65535.", *lb.ContainerPort)
	}
	return checkAdvanced(group, lb.AdvancedConfiguration)
}

// checkAdvanced: what is needed to shift traffic between two target groups is all there, and is of the right kind.
func checkAdvanced(group string, a *shape.AdvancedConfiguration) error {
	if a == nil {
		return nil
	}
	for _, m := range []struct {
		name, value string
		is          *regexp.Regexp
		needed      bool
	}{
		{"alternateTargetGroupArn", aws.Val(a.AlternateTargetGroupArn), groupARN, true},
		{"productionListenerRule", aws.Val(a.ProductionListenerRule), ruleARN, true},
		{"testListenerRule", aws.Val(a.TestListenerRule), ruleARN, false},
		{"roleArn", aws.Val(a.RoleArn), roleARN, true},
	} {
		switch {
		case m.value == "" && m.needed:
			return Invalid("advancedConfiguration.%s cannot be blank.", m.name)
		case m.value != "" && !m.is.MatchString(m.value):
			return Invalid("Invalid advancedConfiguration.%s: %s.", m.name, m.value)
		}
	}
	if group == aws.Val(a.AlternateTargetGroupArn) {
		return Invalid("The alternateTargetGroupArn must be different from the targetGroupArn: %s.", group)
	}
	return nil
}

// NoGroup is the error of a target group that does not exist.
func NoGroup(arn string) error {
	return Invalid("The specified target group does not exist. (targetGroupArn: %s)", arn)
}

// NoRule is the error of a listener rule that does not exist.
func NoRule(arn string) error {
	return Invalid("The specified listener rule does not exist. (%s)", arn)
}

// CheckBalancer holds a load balancer of a request to its target group and to the task definition whose tasks are to be targets.
func CheckBalancer(lb shape.LoadBalancer, group target.Group, d *shape.TaskDefinition) error {
	if err := checkTargetType(group, d); err != nil {
		return err
	}
	if err := checkTarget(aws.Val(lb.ContainerName), aws.Val(lb.ContainerPort), d); err != nil {
		return err
	}
	if !group.Balanced {
		return Invalid("The target group with targetGroupArn %s does not have an associated load balancer.", group.ARN)
	}
	return nil
}

// checkTargetType: tasks with an address of their own are targets by ip, the others by their machine.
func checkTargetType(group target.Group, d *shape.TaskDefinition) error {
	mode, fits := aws.Val(d.NetworkMode), target.ByInstance
	switch mode {
	case shape.NetworkModeAwsvpc:
		fits = target.ByIP
	case shape.NetworkModeNone:
		fits = ""
	case "":
		mode = shape.NetworkModeBridge
	}
	if group.Type != fits {
		return Invalid("The provided target group %s has target type %s, which is incompatible with the %s network mode specified in the task definition.",
			group.ARN, group.Type, mode)
	}
	return nil
}

// ServiceRole is the IAM role of a service with load balancers: the one that is named, or the service-linked one. It is nobody's without them.
func ServiceRole(h ecs.Home, role *string, lbs []shape.LoadBalancer, d *shape.TaskDefinition) (string, error) {
	named := aws.Val(role)
	switch {
	case named == "" && len(lbs) == 0:
		return "", nil
	case named == "":
		return "arn:" + ecs.Partition + ":iam::" + h.Account + ":role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS", nil
	case len(lbs) == 0:
		return "", Invalid("You cannot specify an IAM role for services that have no load balancer.")
	case ecs.HasInterface(d), len(lbs) > 1:
		return "", Invalid("You cannot specify an IAM role for services that require a service linked role.")
	case strings.HasPrefix(named, "arn:"):
		if !roleARN.MatchString(named) {
			return "", Invalid("Invalid role: %s.", named)
		}
		return named, nil
	}
	return "arn:" + ecs.Partition + ":iam::" + h.Account + ":role/" + strings.TrimPrefix(named, "/"), nil
}
