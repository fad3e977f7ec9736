package nats

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	natsgo "github.com/nats-io/nats.go"
)

// startTimeout is how long a server may take to read what it has stored.
const startTimeout = time.Minute

// MinToken is the length of a token, in bytes: 128 bits in hexadecimal.
const MinToken = 32

// ServerConfig says how to run a server inside the process.
type ServerConfig struct {
	// Dir is the folder of its files, which no other server may use at the same time.
	// Required.
	Dir string

	// Listen is a host and port of this machine, such as 127.0.0.1:4222, for workers in
	// other processes; port 0 takes a free one. If empty, no port is open. For other
	// machines, run a NATS server of its own, with TLS and accounts.
	Listen string

	// Token is what those processes must show. Required with Listen, at least MinToken
	// bytes.
	Token string
}

func (c *ServerConfig) options() (*server.Options, error) {
	opts := &server.Options{
		ServerName: "citizencert-batch", JetStream: true, StoreDir: c.Dir,
		SyncAlways: true, // by default it acknowledges before what it has is durable
		DontListen: c.Listen == "", Authorization: c.Token,
		NoLog: true, NoSigs: true, DisableJetStreamBanner: true,
	}
	if c.Dir == "" {
		return nil, errors.New("nats: ServerConfig.Dir is required")
	}
	if c.Listen == "" {
		return opts, nil
	}
	host, port, err := net.SplitHostPort(c.Listen)
	if err != nil {
		return nil, fmt.Errorf("nats: ServerConfig.Listen: %w", err)
	}
	ip := net.ParseIP(host)
	n, err := strconv.ParseUint(port, 10, 16)
	switch {
	case err != nil || !ip.IsLoopback():
		return nil, fmt.Errorf("nats: ServerConfig.Listen is %s, want a loopback address and a port", c.Listen)
	case len(c.Token) < MinToken:
		return nil, fmt.Errorf("nats: ServerConfig.Token has %d bytes, want at least %d", len(c.Token), MinToken)
	}
	opts.Host, opts.Port = host, int(n)
	if n == 0 {
		opts.Port = server.RANDOM_PORT
	}
	return opts, nil
}

// A Server is a NATS server inside the process. Close it after use.
type Server struct {
	server *server.Server
	token  string
}

// StartServer starts a server, or goes on with what is in its folder.
func StartServer(cfg ServerConfig) (*Server, error) {
	opts, err := cfg.options()
	if err != nil {
		return nil, err
	}
	s, err := server.NewServer(opts)
	if err != nil {
		return nil, fmt.Errorf("nats: starting the server: %w", err)
	}
	s.Start()
	started := &Server{s, cfg.Token}
	if !s.ReadyForConnections(startTimeout) || !s.JetStreamEnabled() {
		started.Close()
		return nil, fmt.Errorf("nats: the server in %s has not started; is there room, and may it write?", cfg.Dir)
	}
	return started, nil
}

// Connect connects to the server without a port.
func (s *Server) Connect() (*natsgo.Conn, error) {
	return Connect("", natsgo.InProcessServer(s.server), natsgo.Token(s.token))
}

// URL is where other processes find the server, without the token. It is empty if no
// port is open.
func (s *Server) URL() string {
	if s.server.Addr() == nil {
		return ""
	}
	return s.server.ClientURL()
}

// Close stops the server. What it has stays in its folder.
func (s *Server) Close() {
	s.server.Shutdown()
	s.server.WaitForShutdown()
}
