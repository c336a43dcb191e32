package taskdef

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Where the tests are that run tasks on the real kernel.
var proofDirs = []string{"../../test/e2e", "../../node/agent"}

const (
	inside    = "TestContainerIsWhatItsDefinitionSays/"
	parameter = "TestParameterIsWhatItsDefinitionSays/"
)

// proofs name, for every field that works, the test that registers it, or gives it to a node, and looks at what runs then. After a
// slash is the name of a row in it.
var proofs = map[string]string{
	"cpu":                                   "TestLimitsAreTheKernels",
	"ephemeralStorage":                      "TestEphemeralStorageIsHeldToItsSize",
	"family":                                "TestTaskRunsAndReportsItsExitCode",
	"ipcMode":                               "TestTaskSharesProcessesAndMemory",
	"memory":                                "TestOutOfMemory",
	"networkMode":                           "TestAwsvpcTasksTalk",
	"pidMode":                               "TestTaskHasTheMachinesProcesses",
	"placementConstraints":                  "TestPlacementConstraints",
	"requiresCompatibilities":               "TestFieldThatIsNotThereIsRefusedByItsAttribute/another architecture",
	"runtimePlatform.cpuArchitecture":       "TestFieldThatIsNotThereIsRefusedByItsAttribute/another architecture",
	"runtimePlatform.operatingSystemFamily": parameter + "runtimePlatform",
	"tags":                                  "TestMetadataWithTags",

	containers + "command":                            inside + "entryPoint and command",
	containers + "cpu":                                "TestLimitsAreTheKernels",
	containers + "dependsOn":                          "TestDependsOnOrdersStarts",
	containers + "disableNetworking":                  parameter + "disableNetworking",
	containers + "dnsSearchDomains":                   parameter + "dnsServers",
	containers + "dnsServers":                         parameter + "dnsServers",
	containers + "dockerLabels":                       parameter + "dockerLabels",
	containers + "dockerSecurityOptions":              parameter + "dockerSecurityOptions",
	containers + "entryPoint":                         inside + "entryPoint and command",
	containers + "environment":                        inside + "environment",
	containers + "essential":                          "TestContainerThatIsNotEssentialMayEnd",
	containers + "extraHosts":                         inside + "extraHosts",
	containers + "healthCheck":                        "TestHealthIsWhatTheCheckFinds",
	containers + "healthCheck.command":                "TestHealthIsWhatTheCheckFinds",
	containers + "hostname":                           parameter + "hostname",
	containers + "image":                              "TestImageSaysWhatTheDefinitionDoesNot",
	containers + "interactive":                        parameter + "interactive",
	containers + "links":                              "TestLinks",
	containers + "linuxParameters.capabilities":       inside + "added and dropped capabilities",
	containers + "linuxParameters.devices":            parameter + "linuxParameters.devices",
	containers + "linuxParameters.initProcessEnabled": parameter + "linuxParameters.initProcessEnabled",
	containers + "linuxParameters.sharedMemorySize":   parameter + "linuxParameters.sharedMemorySize",
	containers + "linuxParameters.swappiness":         parameter + "linuxParameters.swappiness",
	containers + "linuxParameters.tmpfs":              parameter + "linuxParameters.tmpfs",
	containers + "logConfiguration.logDriver":         "TestLogDrivers",
	containers + "memory":                             "TestOutOfMemory",
	containers + "memoryReservation":                  "TestReservationIsWhatPlacementCounts",
	containers + "mountPoints":                        "TestVolumeOfTheHostIsReadAndWritten",
	containers + "name":                               "TestLogsOfAllContainersNameThem",
	containers + "portMappings":                       "TestPublishedPortIsReachedFromEverywhere",
	containers + "privileged":                         inside + "privileged",
	containers + "pseudoTerminal":                     parameter + "pseudoTerminal",
	containers + "readonlyRootFilesystem":             inside + "read-only root",
	containers + "restartPolicy":                      "TestRealRestartPolicy",
	containers + "startTimeout":                       "TestDependencyThatFails",
	containers + "stopTimeout":                        "TestStopTimeoutEndsInSIGKILL",
	containers + "systemControls":                     parameter + "systemControls",
	containers + "ulimits":                            inside + "ulimits",
	containers + "user":                               inside + "user by name",
	containers + "volumesFrom":                        "TestVolumeWithoutAPathIsTheTasksOwn",
	containers + "workingDirectory":                   inside + "workingDirectory",

	volumes + "dockerVolumeConfiguration":            "TestSharedVolumeOutlivesItsTask",
	volumes + "dockerVolumeConfiguration.driver":     "TestVolumeWithoutAPathIsTheTasksOwn",
	volumes + "dockerVolumeConfiguration.driverOpts": "TestVolumeWithDriverOptions",
	volumes + "dockerVolumeConfiguration.labels":     "TestVolumeWithDriverOptions",
	volumes + "host": "TestVolumeOfTheHostIsReadAndWritten",
	volumes + "name": "TestVolumeOfTheHostIsReadAndWritten",
}

// Nothing is said to work that no test runs, nothing to be refused without a reason.
func TestEveryVerdictIsProven(t *testing.T) {
	var text strings.Builder
	for _, dir := range proofDirs {
		files, err := filepath.Glob(dir + "/*_test.go")
		if err != nil || len(files) == 0 {
			t.Fatal(dir, err)
		}
		for _, f := range files {
			b, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			text.Write(b)
		}
	}
	for path, v := range verdicts {
		proof, ok := proofs[path]
		switch {
		case v.How == Works && !ok:
			t.Errorf("%s works, and no test is named that runs it", path)
		case v.How != Works && ok:
			t.Errorf("%s is said to be run by %s, and does not work", path, proof)
		case v.How != Works && v.Note == "":
			t.Errorf("%s %s, without a word on how or why", path, v.How)
		}
		test, row, _ := strings.Cut(proof, "/")
		if ok && !strings.Contains(text.String(), "func "+test+"(t *testing.T)") {
			t.Errorf("%s: there is no test %s", path, test)
		}
		if ok && row != "" && !strings.Contains(text.String(), `"`+row+`":`) {
			t.Errorf("%s: test %s has no row %q", path, test, row)
		}
	}
	for path := range proofs {
		if _, ok := verdicts[path]; !ok {
			t.Errorf("a test is named for %s, which has no verdict", path)
		}
	}
	for _, l := range legend {
		if !slices.Contains([]string{Works, Differs, RefusedHere, RefusedPlace, RefusedStart}, l.how) {
			t.Errorf("the legend explains %q", l.how)
		}
	}
}
