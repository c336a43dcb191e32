package region

import (
	"maps"
	"slices"
	"strings"

	aws "github.com/berth-ecs/berth/wire/shape"
	"github.com/berth-ecs/berth/wire/wiretest"
)

// aim is how a request names what the owner has: values by the name of a member, in lower case, of one that is a plural also without its s.
type aim map[string]any

// names are the short forms; a cluster has to be given with them.
func (w *world) names() aim {
	return aim{
		"cluster": "blue", "clustername": "blue", "service": "web", "servicename": "web", "task": w.task, "containerinstance": w.instance,
		"taskdefinition": "web:1", "family": "web", "familyprefix": "web",
		"repositoryname": "blue", "registryid": owner.Account,
	}
}

// arns are the long forms.
func (w *world) arns() aim {
	a := w.names()
	maps.Copy(a, aim{
		"cluster": owner.ClusterARN("blue"), "service": owner.ServiceARN("blue", "web"), "task": owner.TaskARN("blue", w.task),
		"containerinstance": owner.InstanceARN("blue", w.instance), "containerinstancearn": owner.InstanceARN("blue", w.instance),
		"taskdefinition": owner.TaskDefinitionARN("web", 1), "targetid": owner.InstanceARN("blue", w.instance),
		"servicedeploymentarn": w.deployment,
		"servicerevisionarn":   w.revision,
		"principalarn":         owner.Root(),
	})
	return a
}

// resources are the values of resourceArn that are tried one after the other.
func (w *world) resources() []string {
	return []string{
		owner.ServiceARN("blue", "web"), owner.ClusterARN("blue"), owner.TaskARN("blue", w.task), owner.InstanceARN("blue", w.instance),
		owner.TaskDefinitionARN("web", 1), "arn:aws:ecr:" + owner.Region + ":" + owner.Account + ":repository/blue",
	}
}

// special are members that an operation needs beside what it is about.
var special = map[string]aim{
	"RegisterTaskDefinition":        {"containerdefinition": []any{map[string]any{"name": "app", "image": "x:1", "memory": 8}}},
	"DeregisterTaskDefinition":      {"taskdefinition": "web:1"},
	"DeleteTaskDefinitions":         {"taskdefinition": "web:2"},
	"CreateService":                 {"servicename": "new", "desiredcount": 0},
	"UpdateService":                 {"desiredcount": 2},
	"DeleteService":                 {"force": true},
	"DeregisterContainerInstance":   {"force": true},
	"UpdateContainerInstancesState": {"statu": "DRAINING"},
	"PutAccountSetting":             {"name": "containerInsights", "value": "disabled"},
	"PutAccountSettingDefault":      {"name": "containerInsights", "value": "disabled"},
	"DeleteAccountSetting":          {"name": "containerInsights"},
	"UpdateClusterSettings":         {"setting": []any{map[string]any{"name": "containerInsights", "value": "disabled"}}},
	"CreateRepository":              {"repositoryname": "new"},
	"PutClusterCapacityProviders":   {"capacityproviders": []any{"FARGATE"}, "defaultcapacityproviderstrategy": []any{}},
	"StopServiceDeployment":         {"stoptype": "ABORT"},
	"TagResource":                   {"tag": []any{map[string]any{"key": "word", "value": "stolen", "Key": "word", "Value": "stolen"}}},
	"UntagResource":                 {"tagkey": []any{"word"}},
	"UpdateTaskProtection":          {"protectionenabled": true},
	"PutAttributes":                 {"value": "stolen"},
	"SubmitTaskStateChange":         {"statu": "STOPPED"},
	"DescribeClusters":              {"include": []any{"TAGS"}},
	"DescribeServices":              {"include": []any{"TAGS"}},
	"DescribeTasks":                 {"include": []any{"TAGS"}},
	"DescribeContainerInstances":    {"include": []any{"TAGS"}},
	"DescribeTaskDefinition":        {"include": []any{"TAGS"}},
	"PutImageTagMutability":         {"imagetagmutability": "IMMUTABLE"},
	"PutLifecyclePolicy":            {"lifecyclepolicytext": lifecycleText},
	"SetRepositoryPolicy":           {"policytext": policyText},
	"ListAccountSettings":           {"effectivesetting": true},
}

const (
	lifecycleText = `{"rules":[{"rulePriority":1,"selection":{"tagStatus":"untagged","countType":"imageCountMoreThan","countNumber":1},"action":{"type":"expire"}}]}`
	policyText    = `{"Version":"2012-10-17","Statement":[]}`
)

// input is a request of an operation that names what the owner has, and as little else as it may.
func (a aim) input(s *aws.Service, operation string) (any, error) {
	info, _ := s.Operation(operation)
	with := maps.Clone(a)
	switch s.Package {
	case "route53":
	case "acm":
		maps.Copy(with, acmSpecial[operation])
	case "servicediscovery":
		maps.Copy(with, discoverySpecial[operation])
	case "elbv2":
		maps.Copy(with, elbSpecial[operation])
	case "ec2":
		maps.Copy(with, ec2Special[operation])
	default:
		maps.Copy(with, special[operation])
	}
	return with.value(s, info.Input)
}

func (a aim) value(s *aws.Service, id aws.ID) (any, error) {
	if id == aws.None {
		return map[string]any{}, nil
	}
	sh := s.Shape(id)
	if sh.Kind != aws.Structure {
		return wiretest.Minimal(s, id)
	}
	out := map[string]any{}
	for _, m := range sh.Members {
		v, err := a.member(s, m)
		if err != nil {
			return nil, err
		}
		if v != nil {
			out[m.Name] = v
		}
	}
	return out, nil
}

func (a aim) member(s *aws.Service, m aws.Member) (any, error) {
	sh := s.Shape(m.Shape)
	name := strings.ToLower(m.Name)
	v, named := a[name]
	if !named {
		v, named = a[strings.TrimSuffix(name, "s")]
	}
	_, whole := v.([]any)
	if _, ok := v.(map[string]any); ok {
		whole = true
	}
	switch {
	case named && v == nil:
		return nil, nil
	case named && sh.Kind == aws.List && !whole:
		return []any{v}, nil
	case named && (sh.Kind != aws.Structure || whole):
		return v, nil
	case !m.Required:
		return nil, nil
	case sh.Kind == aws.List && s.Shape(sh.Elem.Shape).Kind == aws.Structure:
		e, err := a.value(s, sh.Elem.Shape)
		return []any{e}, err
	case sh.Kind == aws.List && s.Shape(sh.Elem.Shape).Kind == aws.String:
		return []any{"blue"}, nil
	}
	return a.value(s, m.Shape)
}

// aims are all the ways in which an operation is tried.
func (w *world) aims(s *aws.Service, operation string) []aim {
	switch s.Package {
	case "ec2":
		return w.ec2Aims(operation)
	case "elbv2":
		return w.balancedAims(operation)
	case "servicediscovery":
		return w.discoveryAims(operation)
	case "acm":
		return []aim{{"certificatearn": w.certificate}}
	case "route53":
		return []aim{{"id": w.found["zone"], "hostedzoneid": w.found["zone"], "resourceid": w.found["zone"], "resourcetype": "hostedzone", "vpcid": "vpc-00000000000000001"}}
	}
	all := []aim{w.names(), w.arns()}
	mixed := w.arns()
	mixed["cluster"] = "blue" // a cluster of one's own, the owner's things by their ARNs
	all = append(all, mixed)
	info, _ := s.Operation(operation)
	if info.Input != aws.None && slices.ContainsFunc(s.Shape(info.Input).Members, func(m aws.Member) bool { return m.Name == "resourceArn" }) {
		all = nil
		for _, arn := range w.resources() {
			all = append(all, aim{"resourcearn": arn})
		}
	}
	return all
}
