package joining

// agentActions are what an agent asks for, as AWS's AmazonEC2ContainerServiceforEC2Role lists it, and what it asks for on its tasks' behalf. Each
// is for what is on the node itself; the API sees to that.
var agentActions = map[string]bool{
	"ecs:DeregisterContainerInstance": true, "ecs:DiscoverPollEndpoint": true, "ecs:Poll": true, "ecs:RegisterContainerInstance": true,
	"ecs:StartTelemetrySession": true, "ecs:UpdateContainerInstancesState": true, "ecs:SubmitAttachmentStateChanges": true,
	"ecs:SubmitContainerStateChange": true, "ecs:SubmitTaskStateChange": true, "ecs:ListTagsForResource": true,
	"ecs:CreateCluster": true, "ecs:GetTaskProtection": true, "ecs:UpdateTaskProtection": true,
	"ecr:GetAuthorizationToken": true, "ecr:BatchCheckLayerAvailability": true, "ecr:GetDownloadUrlForLayer": true, "ecr:BatchGetImage": true,
}

// MayAgent tells whether a node's keys are good for an action.
func MayAgent(action string) bool { return agentActions[action] }
