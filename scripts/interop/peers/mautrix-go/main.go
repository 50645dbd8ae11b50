// A small appservice on mautrix-go: it starts as the bridges on its framework do, pings, and serves on.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/rs/zerolog"
	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/appservice"
)

func say(format string, arguments ...any) {
	fmt.Printf("peer: "+format+"\n", arguments...)
}

func start(ctx context.Context, as *appservice.AppService) error {
	bot := as.BotIntent()
	versions, err := bot.Versions(ctx)
	if err != nil {
		return err
	}
	*as.SpecVersions = *versions
	who, err := bot.Whoami(ctx)
	if errors.Is(err, mautrix.MForbidden) {
		if err = bot.EnsureRegistered(ctx); err != nil {
			return err
		}
		who, err = bot.Whoami(ctx)
	}
	if err != nil {
		return err
	}
	if who.UserID != bot.UserID {
		return fmt.Errorf("the homeserver knows the bot as %s, not as %s", who.UserID, bot.UserID)
	}
	before := time.Now()
	if !bot.EnsureAppserviceConnection(ctx) {
		return errors.New("the homeserver did not reach the appservice")
	}
	say("connected %d", time.Since(before).Milliseconds())
	return nil
}

func main() {
	port, err := strconv.ParseUint(os.Getenv("PEER_PORT"), 10, 16)
	if err != nil {
		panic(err)
	}
	registration, err := appservice.LoadRegistration(os.Getenv("PEER_REGISTRATION"))
	if err != nil {
		panic(err)
	}
	as, err := appservice.CreateFull(appservice.CreateOpts{
		Registration:     registration,
		HomeserverDomain: os.Getenv("PEER_DOMAIN"),
		HomeserverURL:    os.Getenv("PEER_HOMESERVER"),
		HostConfig:       appservice.HostConfig{Hostname: "127.0.0.1", Port: uint16(port)},
	})
	if err != nil {
		panic(err)
	}
	log := zerolog.New(os.Stderr)
	as.Log = log
	go as.Start()
	say("listening")
	if err := start(log.WithContext(context.Background()), as); err != nil {
		say("failed %v", err)
	}
	select {}
}
