package request

import (
	"errors"
	"testing"

	"github.com/berth-ecs/berth/ecs"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

const registryARN = "arn:aws:servicediscovery:us-east-1:000000000000:service/srv-utcrh6wavdkggqtk"

func TestServiceRegistries(t *testing.T) {
	pair := func(name string, port int32) shape.ServiceRegistry {
		return shape.ServiceRegistry{RegistryArn: aws.Ptr(registryARN), ContainerName: &name, ContainerPort: &port}
	}
	port := func(n int32) shape.ServiceRegistry {
		return shape.ServiceRegistry{RegistryArn: aws.Ptr(registryARN), Port: &n}
	}
	alone := shape.ServiceRegistry{RegistryArn: aws.Ptr(registryARN)}
	both := pair("app", 80)
	both.Port = aws.Ptr(int32(80))
	named := shape.ServiceRegistry{RegistryArn: aws.Ptr(registryARN), ContainerName: aws.Ptr("app")}
	const behind = " Registry: " + registryARN
	for _, tt := range []struct {
		name    string
		mode    string
		records []string
		r       shape.ServiceRegistry
		want    string // "": it is accepted
	}{
		{"awsvpc with A", "awsvpc", []string{"A"}, alone, ""},
		{"awsvpc with A and AAAA", "awsvpc", []string{"A", "AAAA"}, alone, ""},
		{"awsvpc with A needs no container port", "awsvpc", []string{"A"}, pair("app", 80), "The values specified for serviceRegistries do not require a value for 'containerPort'. Remove the value and retry." + behind},
		{"awsvpc with A needs no port", "awsvpc", []string{"A"}, port(80), "The values specified for serviceRegistries do not require a value for 'port'. Remove the value and retry." + behind},
		{"awsvpc with SRV and a port", "awsvpc", []string{"SRV"}, port(80), ""},
		{"awsvpc with SRV and A and a port", "awsvpc", []string{"SRV", "A"}, port(80), ""},
		{"awsvpc with SRV and a container's port", "awsvpc", []string{"SRV"}, pair("app", 80), ""},
		{"awsvpc with SRV needs a port", "awsvpc", []string{"SRV"}, alone, "Specify a value for either 'port' or the 'containerName' and 'containerPort' combination: the serviceRegistries value is configured to use a type 'SRV' DNS record." + behind},
		{"a container without a port", "awsvpc", []string{"SRV"}, named, "Specify a value for either 'port' or the 'containerName' and 'containerPort' combination: the serviceRegistries value is configured to use a type 'SRV' DNS record." + behind},
		{"both ways", "awsvpc", []string{"SRV"}, both, "Specify a value for either 'port' or the 'containerName' and 'containerPort' combination, but not both. Remove one and retry." + behind},
		{"another container", "awsvpc", []string{"SRV"}, pair("db", 80), "The container db does not exist in the task definition."},
		{"another port", "awsvpc", []string{"SRV"}, pair("app", 81), "The container app did not have a container port 81 defined."},
		{"awsvpc by API only", "awsvpc", nil, alone, ""},
		{"awsvpc by API only, with a port", "awsvpc", nil, port(80), ""},
		{"awsvpc by API only, half a pair", "awsvpc", nil, named, "Specify both 'containerName' and 'containerPort', or neither." + behind},
		{"bridge with SRV", "bridge", []string{"SRV"}, pair("app", 80), ""},
		{"the default mode is bridge", "", []string{"SRV"}, pair("app", 80), ""},
		{"host with SRV", "host", []string{"SRV"}, pair("app", 80), ""},
		{"bridge by API only", "bridge", nil, pair("app", 80), ""},
		{"bridge needs a container", "bridge", []string{"SRV"}, alone, "When specifying 'host' or 'bridge' for networkMode, values for 'containerName' and 'containerPort' must be specified from the task definition." + behind},
		{"host needs a container", "host", []string{"SRV"}, port(80), "When specifying 'host' or 'bridge' for networkMode, values for 'containerName' and 'containerPort' must be specified from the task definition." + behind},
		{"bridge with A", "bridge", []string{"A"}, pair("app", 80), "serviceRegistries value is configured to use a type 'A' DNS record, which is not supported when specifying 'host' or 'bridge' for networkMode." + behind},
		{"none", "none", []string{"A"}, alone, "Service discovery is not supported when specifying 'none' for networkMode." + behind},
		{"CNAME", "awsvpc", []string{"CNAME"}, alone, "serviceRegistries value is configured to use a type 'CNAME' DNS record, which is not supported." + behind},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := &shape.TaskDefinition{ContainerDefinitions: []shape.ContainerDefinition{{Name: aws.Ptr("app"), PortMappings: []shape.PortMapping{{ContainerPort: aws.Ptr(int32(80))}}}}}
			if tt.mode != "" {
				d.NetworkMode = &tt.mode
			}
			told(t, CheckRegistry(tt.r, ecs.Registry{ARN: registryARN, Records: tt.records}, d), tt.want)
		})
	}
}

func told(t *testing.T, err error, want string) {
	t.Helper()
	var e *aws.Error
	switch {
	case want == "" && err != nil:
		t.Errorf("refused: %v", err)
	case want != "" && (!errors.As(err, &e) || e.Code != shape.CodeInvalidParameterException || e.Message != want):
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

func TestRegistryARNs(t *testing.T) {
	of := func(arn string) []shape.ServiceRegistry { return []shape.ServiceRegistry{{RegistryArn: &arn}} }
	told(t, CheckRegistries(of(registryARN)), "")
	told(t, CheckRegistries(nil), "")
	told(t, CheckRegistries(append(of(registryARN), of(registryARN)...)), "serviceRegistries can have at most 1 items.")
	for _, arn := range []string{
		"", "srv-utcrh6wavdkggqtk", "arn:aws:servicediscovery:us-east-1:000000000000:namespace/ns-hoggwkp7p2lefor5",
		"arn:aws:ecs:us-east-1:000000000000:service/srv-utcrh6wavdkggqtk", "arn:aws:servicediscovery::000000000000:service/srv-a",
		"arn:aws:servicediscovery:us-east-1:0/0:service/srv-a", "arn:aws:servicediscovery:us-east-1:000000000000:service/srv-a/b",
	} {
		told(t, CheckRegistries(of(arn)), "The format of the supplied service registry ARN is invalid: "+arn+".")
	}
}
