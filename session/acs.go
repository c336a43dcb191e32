package session

// HeartbeatMessage is the server's, on both sockets; the agent's watchdog wants one at least
// every minute.
type HeartbeatMessage struct {
	Healthy   bool   `json:"healthy"`
	MessageID string `json:"messageId,omitempty"`
}

// HeartbeatAckRequest is the agent's answer to a heartbeat.
type HeartbeatAckRequest struct {
	MessageID string `json:"messageId,omitempty"`
}

// PayloadMessage tells an agent what its tasks should be. It carries one task:
// an agent acknowledges a payload only when it could handle all of it.
type PayloadMessage struct {
	ClusterArn           string `json:"clusterArn"`
	ContainerInstanceArn string `json:"containerInstanceArn"`
	MessageID            string `json:"messageId"`
	GeneratedAt          int64  `json:"generatedAt,omitempty"` // milliseconds
	SeqNum               int64  `json:"seqNum"`
	Timeline             int64  `json:"timeline,omitempty"`
	Tasks                []Task `json:"tasks"`
}

// AckRequest is the agent's: it has made the message with that id its own.
type AckRequest struct {
	Cluster           string `json:"cluster"`
	ContainerInstance string `json:"containerInstance"`
	MessageID         string `json:"messageId"`
}

// NackRequest is the agent's refusal of a message.
type NackRequest struct {
	Cluster           string `json:"cluster"`
	ContainerInstance string `json:"containerInstance"`
	MessageID         string `json:"messageId"`
	Reason            string `json:"reason,omitempty"`
}

// TaskManifestMessage lists every task of the instance that should be running. An
// agent drops it when Timeline is not above what it has seen.
type TaskManifestMessage struct {
	ClusterArn           string           `json:"clusterArn"`
	ContainerInstanceArn string           `json:"containerInstanceArn"`
	MessageID            string           `json:"messageId"`
	GeneratedAt          int64            `json:"generatedAt,omitempty"`
	Timeline             int64            `json:"timeline"`
	Tasks                []TaskIdentifier `json:"tasks"`
}

// TaskIdentifier is one line of a manifest.
type TaskIdentifier struct {
	TaskArn        string `json:"taskArn"`
	TaskClusterArn string `json:"taskClusterArn,omitempty"`
	DesiredStatus  string `json:"desiredStatus"`
}

// TaskStopVerificationMessage is the agent's: these tasks run here and the
// manifest does not list them.
type TaskStopVerificationMessage struct {
	MessageID      string           `json:"messageId"`
	StopCandidates []TaskIdentifier `json:"stopCandidates"`
}

// TaskStopVerificationAck is the server's: stop these.
type TaskStopVerificationAck struct {
	MessageID   string           `json:"messageId"`
	GeneratedAt int64            `json:"generatedAt,omitempty"`
	StopTasks   []TaskIdentifier `json:"stopTasks"`
}

// IAMRoleCredentialsMessage renews a task's credentials.
type IAMRoleCredentialsMessage struct {
	MessageID       string              `json:"messageId"`
	TaskArn         string              `json:"taskArn"`
	RoleType        string              `json:"roleType"` // TaskApplication or TaskExecution
	RoleCredentials *IAMRoleCredentials `json:"roleCredentials"`
}

// IAMRoleCredentials are short-lived keys of a role.
type IAMRoleCredentials struct {
	CredentialsID   string `json:"credentialsId"`
	RoleArn         string `json:"roleArn,omitempty"`
	AccessKeyID     string `json:"accessKeyId,omitempty"`
	SecretAccessKey string `json:"secretAccessKey,omitempty"`
	SessionToken    string `json:"sessionToken,omitempty"`
	Expiration      string `json:"expiration,omitempty"`
	CredentialScope string `json:"credentialScope,omitempty"`
}

// IAMRoleCredentialsAckRequest is the agent's.
type IAMRoleCredentialsAckRequest struct {
	MessageID     string `json:"messageId"`
	Expiration    string `json:"expiration,omitempty"`
	CredentialsID string `json:"credentialsId,omitempty"`
}

// CloseMessage announces that the server closes the socket.
type CloseMessage struct {
	Message string `json:"message"`
}

// ErrorMessage is logged by the agent.
type ErrorMessage struct {
	Message string `json:"message"`
}

func (*HeartbeatMessage) message()             {}
func (*HeartbeatAckRequest) message()          {}
func (*PayloadMessage) message()               {}
func (*AckRequest) message()                   {}
func (*NackRequest) message()                  {}
func (*TaskManifestMessage) message()          {}
func (*TaskStopVerificationMessage) message()  {}
func (*TaskStopVerificationAck) message()      {}
func (*IAMRoleCredentialsMessage) message()    {}
func (*IAMRoleCredentialsAckRequest) message() {}
func (*CloseMessage) message()                 {}
func (*ErrorMessage) message()                 {}
