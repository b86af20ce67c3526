using Piccolo.Bench;
using Piccolo.Bench.Ingress;

const string Usage = """
    usage: ./dev bench AREA [options]

      vault [--unlocks N]   an owner's unlock alone and while others guess; commits; readiness meanwhile
      ingress [options]     the front door beside nginx: requests, connections, bulk, uploads, handshakes, idle memory,
                            10,000 names, 2,000 slow clients. Options: --rounds N, --seconds N, --no-write,
                            --only PART (repeatable; idle, pass_keepalive, pass_new, pass_bulk, h1, h2, post_1k, bulk,
                            upload, full_handshakes, resumed_handshakes, names, slow),
                            --try NAME=VALUE,... (repeatable: one more front door with these variables).
                            As root in a network of its own, without this machine's packet filter
      tunnel [--mib N] [--rounds N] [--minutes N] [--only memory|down|up|terminated|keepalive|small|connect|far|burst|uploads|loss|outage,...]
                            visitors through a relay, beside the same visitors straight at the app; what that costs the appliance.
                            Its memory while it is polled 20 times a second (for --minutes, by default 2), and after a load
      acme [--names N]      certificates for many names at once from a real test CA, and what each costs it

      apps [--apps N] [--rounds N]
                            many apps of two services on a real Podman: memory, the price of one more, an install beside the
                            engine's own commands, an unlock until all run

    Prints BAR lines, writes its table to tools/Bench/README.md, and exits 1 when a bar is SHORT.
    """;

// The programs that a bench starts beside itself are this one with another first argument.
return args switch
{
    ["vault", .. var rest] => await VaultBench.RunAsync([.. rest]),
    ["ingress", .. var rest] => await IngressBench.RunAsync([.. rest]),
    ["tunnel", .. var rest] => await TunnelBench.RunAsync([.. rest]),
    ["acme", .. var rest] => await AcmeBench.RunAsync([.. rest]),
    ["apps", .. var rest] => await AppsBench.RunAsync([.. rest]),
    [ReadyProbe.Command, .. var rest] => ReadyProbe.Run([.. rest]),
    [BodySink.Command, .. var rest] => BodySink.Run([.. rest]),
    [DoorHost.Command, .. var rest] => await DoorHost.RunAsync([.. rest]),
    [SlowHellos.Command, .. var rest] => await SlowHellos.RunAsync([.. rest]),
    ["--help" or "-h"] => Say(Usage, 0),
    _ => Say(Usage, 2),
};

static int Say(string text, int exit)
{
    (exit == 0 ? Console.Out : Console.Error).WriteLine(text);
    return exit;
}
