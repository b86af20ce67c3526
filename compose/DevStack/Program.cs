using Piccolo.DevStack.Bench;
using Piccolo.DevStack.Bench.Ingress;
using Piccolo.DevStack.Chaos;
using Piccolo.DevStack.Demo;
using Piccolo.DevStack.Prove;
using Piccolo.DevStack.Staging;

const string BenchUsage = """
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

    Prints BAR lines, writes its table to bench/README.md, and exits 1 when a bar is SHORT.
    """;

const string ProveUsage = """
    usage: ./dev prove leaks

    Plants secrets, runs the main flow with real parts, locks, and searches disk, logs, answers, environment,
    memory and a core dump for them. Needs root. Prints LEAKS n of m places; exits 0 only when n is 0.
    """;

// Called by ./dev, which says what there is.
return args switch
{
    ["demo", .. var rest] => await DemoCommand.RunAsync(rest),
    ["bench", "vault", .. var rest] => await VaultBench.RunAsync([.. rest]),
    ["probe", .. var rest] => ReadyProbe.Run([.. rest]),
    ["bench", "ingress", .. var rest] => await IngressBench.RunAsync([.. rest]),
    [BodySink.Command, .. var rest] => BodySink.Run([.. rest]),
    [DoorHost.Command, .. var rest] => await DoorHost.RunAsync([.. rest]),
    [SlowHellos.Command, .. var rest] => await SlowHellos.RunAsync([.. rest]),
    ["bench", "tunnel", .. var rest] => await TunnelBench.RunAsync([.. rest]),
    ["bench", "acme", .. var rest] => await AcmeBench.RunAsync([.. rest]),
    ["bench", "--help" or "-h"] => Say(BenchUsage, 0),
    ["bench", ..] => Say(BenchUsage, 2),
    ["chaos", "--help" or "-h"] or ["chaos", "tunnel", "--help" or "-h"] => Say(ChaosCommand.Usage, 0),
    ["chaos", "tunnel", .. var rest] => await ChaosCommand.RunAsync(rest),
    ["chaos", ..] => Say(ChaosCommand.Usage, 2),
    ["prove", "leaks"] => await LeakProof.RunAsync(),
    ["prove", "--help" or "-h"] or ["prove", "leaks", "--help" or "-h"] => Say(ProveUsage, 0),
    ["prove", ..] => Say(ProveUsage, 2),
    ["verify-staging", .. var rest] => await StagingCommand.RunAsync([.. rest], Console.Out),
    _ => Say("usage: ./dev COMMAND [options]", 2),
};

static int Say(string text, int exit)
{
    (exit == 0 ? Console.Out : Console.Error).WriteLine(text);
    return exit;
}
