package hold

import (
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os/exec"
	"path/filepath"
	"strconv"

	"github.com/berth-ecs/berth/node/hold/logfile"
)

// Version is what both sides of the socket must agree on.
const Version = 3

// Config of both the process and its clients.
type Config struct {
	Exe      string       // required by Start: the program whose `hold` verb runs Main
	Args     []string     // optional: what comes before the flags; nil is {"hold"}
	RunDir   string       // required: socket and FIFOs
	DataDir  string       // required: the logs lie in DataDir/logs
	MaxBytes int64        // optional: of one log file; 0 is 10 MiB
	Files    int          // optional: files per container; 0 is 5
	ReadyFD  int          // set by Start: written to and closed when Main listens
	Log      *slog.Logger // optional

	// Spawn starts the process for Start; optional: nil is cmd.Start.
	Spawn func(*exec.Cmd) error
}

const (
	defaultMaxBytes = 10 << 20
	defaultFiles    = 5
)

func (c Config) check() (Config, error) {
	if !filepath.IsAbs(c.RunDir) || !filepath.IsAbs(c.DataDir) {
		return c, fmt.Errorf("hold: RunDir %q and DataDir %q must be absolute paths", c.RunDir, c.DataDir)
	}
	if c.MaxBytes == 0 {
		c.MaxBytes = defaultMaxBytes
	}
	if c.Files == 0 {
		c.Files = defaultFiles
	}
	if c.MaxBytes < 64<<10 || c.Files < 1 {
		return c, fmt.Errorf("hold: a log needs files of 64 KiB or more (MaxBytes %d) and at least one (Files %d)", c.MaxBytes, c.Files)
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Spawn == nil {
		c.Spawn = (*exec.Cmd).Start
	}
	c.Log = c.Log.With("component", "hold")
	return c, nil
}

// LogDir is where logfile finds the logs.
func (c Config) LogDir() string { return filepath.Join(c.DataDir, "logs") }

func (c Config) socket() string         { return filepath.Join(c.RunDir, "hold.sock") }
func (c Config) lockFile() string       { return filepath.Join(c.RunDir, "hold.lock") }
func (c Config) fifoDir() string        { return filepath.Join(c.RunDir, "fifo") }
func (c Config) limits() logfile.Limits { return logfile.Limits{MaxBytes: c.MaxBytes, Files: c.Files} }

// Flags are the arguments ParseFlags reads.
func (c Config) Flags() []string {
	return []string{
		"--run-dir=" + c.RunDir, "--data-dir=" + c.DataDir,
		"--max-bytes=" + strconv.FormatInt(c.MaxBytes, 10), "--files=" + strconv.Itoa(c.Files),
		"--ready-fd=" + strconv.Itoa(c.ReadyFD),
	}
}

// ParseFlags is what `berth hold` does with its arguments before it calls Main.
func ParseFlags(args []string) (Config, error) {
	var c Config
	f := flag.NewFlagSet("hold", flag.ContinueOnError)
	f.StringVar(&c.RunDir, "run-dir", "", "socket and FIFOs")
	f.StringVar(&c.DataDir, "data-dir", "", "the logs lie in its directory logs")
	f.Int64Var(&c.MaxBytes, "max-bytes", 0, "size of one log file")
	f.IntVar(&c.Files, "files", 0, "log files per container")
	f.IntVar(&c.ReadyFD, "ready-fd", 0, "descriptor that is closed when hold is ready")
	if err := f.Parse(args); err != nil {
		return c, err
	}
	if f.NArg() > 0 {
		return c, errors.New("hold: takes flags only")
	}
	return c.check()
}
