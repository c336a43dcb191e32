package elb

import (
	"fmt"

	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/elbv2"
)

// Errorf is an error with a code of Elastic Load Balancing.
func Errorf(code, format string, args ...any) error {
	return &aws.Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// CodeValidation is the code of a bad parameter. The model does not name it.
const CodeValidation = "ValidationError"

// Invalid is the error of a bad parameter.
func Invalid(format string, args ...any) error { return Errorf(CodeValidation, format, args...) }

// NoLoadBalancer is the error of an ARN or name that no load balancer has.
func NoLoadBalancer() error {
	return Errorf(shape.CodeLoadBalancerNotFoundException, "One or more load balancers not found")
}

// NoListener is the error of an ARN that no listener has.
func NoListener() error {
	return Errorf(shape.CodeListenerNotFoundException, "One or more listeners not found")
}

// NoRule is the error of an ARN that no rule has.
func NoRule() error { return Errorf(shape.CodeRuleNotFoundException, "One or more rules not found") }

// NoTargetGroup is the error of an ARN or name that no target group has.
func NoTargetGroup() error {
	return Errorf(shape.CodeTargetGroupNotFoundException, "One or more target groups not found")
}
