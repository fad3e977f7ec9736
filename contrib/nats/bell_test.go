package nats_test

import (
	"testing"

	"github.com/nats-io/nats-server/v2/server"
	natsgo "github.com/nats-io/nats.go"

	"github.com/citizencert/citizencert/contrib/nats"
	"github.com/citizencert/citizencert/verify/batch"
)

// On a server that lets nobody ring a bell everybody finds out by itself.
func TestDeaf(t *testing.T) {
	silent, err := server.NewServer(&server.Options{
		JetStream: true, StoreDir: t.TempDir(), DontListen: true, NoLog: true, NoSigs: true,
		Users: []*server.User{{Username: "batch", Password: token, Permissions: &server.Permissions{
			Publish: &server.SubjectPermission{Deny: []string{"citizencert.*.begun", "citizencert.*.result"}},
		}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	silent.Start()
	t.Cleanup(func() { silent.Shutdown(); silent.WaitForShutdown() })
	refused := make(chan error, 100)
	conn, err := nats.Connect("", natsgo.InProcessServer(silent), natsgo.UserInfo("batch", token),
		natsgo.ErrorHandler(func(_ *natsgo.Conn, _ *natsgo.Subscription, err error) { refused <- err }))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	s := newSceneOn(t, newWorld(t, 2_100), conn)
	ended := s.work(t, nil)
	report, err := s.coordinate(t, batch.RunOptions{})
	if err != nil {
		t.Fatal(err)
	}
	s.check(t, s.dir, report)
	ended()
	if len(refused) == 0 {
		t.Error("the server has refused nothing")
	}
}
