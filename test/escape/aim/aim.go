// Package aim is what the escape suite tells the program in its containers, and what the program answers.
package aim

import (
	"encoding/json"
	"os"
	"strings"
)

// Aim is what there is to get at, on the machine and in other tasks. An attempt whose aim is empty has nothing to find.
type Aim struct {
	Token     string    // stands in the machine's file Secret and in the kernel's log
	Secret    string    // path on the machine
	Disk      [2]uint32 // numbers of a block device of the machine
	Victims   []string  // on the command lines of other containers' processes: one of another task, one of this
	First     int       // a process of the machine; 0: the first there is to see
	Entering  string    // on the command line of a program that comes in from the machine; "": any that is not the container's
	Abstract  string    // an abstract socket of the machine, which answers Token
	Sockets   []string  // of the node's, by path
	Endpoints []string  // of the node's: host:port
	Loopback  string    // host:port, where another task answers its own token to itself
	Metadata  string    // URL of another task's metadata
	Instance  string    // URL of an instance's metadata
	Processes int       // more than a task may have
}

// Variable of the environment that holds it.
const Variable = "ESCAPE_AIM"

// FirstProcess is that of the machine, as far as it is to be seen.
func (a Aim) FirstProcess() int { return max(a.First, 1) }

// Setting is the variable with its value.
func (a Aim) Setting() string {
	b, _ := json.Marshal(a)
	return Variable + "=" + string(b)
}

// Read is the program's way to it.
func Read() (a Aim) {
	_ = json.Unmarshal([]byte(os.Getenv(Variable)), &a)
	return a
}

// Result of an attempt.
type Result string

// Results.
const (
	Blocked   Result = "blocked"
	Succeeded Result = "succeeded"
	Absent    Result = "absent" // the kernel does not have it
)

// Outcome is one attempt's.
type Outcome struct {
	Name   string
	Result Result
	How    string // the error; of a success which kernel it was: its boot id
}

// Kernel tells which kernel this is.
func Kernel() string {
	b, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return err.Error()
	}
	return strings.TrimSpace(string(b))
}
