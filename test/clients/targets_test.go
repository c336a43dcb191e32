package clients

import "testing"

// The life of a target group with the AWS CLI, whose own parser and waiters judge the answers.
func TestTargetGroupsByCLI(t *testing.T) {
	t.Parallel()
	out := shell(t, `
vpc=$(aws ec2 describe-vpcs --filters Name=is-default,Values=true --query 'Vpcs[0].VpcId' --output text)
make() { aws elbv2 create-target-group --name by-cli --protocol HTTP --port 8080 --vpc-id $vpc --target-type ip "$@" --query 'TargetGroups[0]'; }
make --health-check-path /ok --tags Key=team,Value=a > made.json
jq -r '[.Protocol, .ProtocolVersion, .Port, .HealthCheckPath, .HealthCheckTimeoutSeconds, .Matcher.HttpCode, (.LoadBalancerArns | length)] | @csv' made.json
arn=$(jq -r .TargetGroupArn made.json)
make 2>&1 | grep -o 'DuplicateTargetGroupName' || true
aws elbv2 modify-target-group-attributes --target-group-arn $arn --attributes Key=deregistration_delay.timeout_seconds,Value=5 Key=stickiness.enabled,Value=true \
  --query 'Attributes[?Key==`+"`deregistration_delay.timeout_seconds`"+`].Value' --output text
aws elbv2 modify-target-group-attributes --target-group-arn $arn --attributes Key=colour,Value=blue 2>&1 | grep -o "Target group attribute key 'colour' is not recognized" || true
aws elbv2 register-targets --target-group-arn $arn --targets Id=10.250.0.1,AvailabilityZone=all Id=10.250.0.2,Port=81,AvailabilityZone=all
aws elbv2 describe-target-health --target-group-arn $arn --query 'TargetHealthDescriptions[].[Target.Id, Target.Port, HealthCheckPort, TargetHealth.State, TargetHealth.Reason]' --output text
aws elbv2 deregister-targets --target-group-arn $arn --targets Id=10.250.0.1 Id=10.250.0.2,Port=81
aws elbv2 wait target-deregistered --target-group-arn $arn --targets Id=10.250.0.1 Id=10.250.0.2,Port=81
aws elbv2 delete-target-group --target-group-arn $arn
aws elbv2 describe-target-groups --names by-cli 2>&1 | grep -o 'TargetGroupNotFound' || true
`)
	want := `"HTTP","HTTP1",8080,"/ok",5,"200",0
DuplicateTargetGroupName
5
Target group attribute key 'colour' is not recognized
10.250.0.1	8080	8080	unused	Target.NotInUse
10.250.0.2	81	81	unused	Target.NotInUse
TargetGroupNotFound`
	if out != want {
		t.Errorf("said\n%s\nwant\n%s", out, want)
	}
}
