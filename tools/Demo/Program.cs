using Piccolo.Demo;
using Piccolo.Demo.Chaos;
using Piccolo.Demo.Import;
using Piccolo.Demo.Prove;
using Piccolo.Demo.Staging;

const string ProveUsage = """
    usage: ./dev prove leaks

    Plants secrets, runs the main flow with real parts, locks, and searches disk, logs, answers, environment,
    memory and a core dump for them. Needs root. Prints LEAKS n of m places; exits 0 only when n is 0.
    """;

// Called by ./dev, which says what there is.
return args switch
{
    ["demo", .. var rest] => await DemoCommand.RunAsync(rest),
    ["chaos", "--help" or "-h"] => Say($"{ChaosCommand.Usage}\n\n{AppKills.Usage}", 0),
    ["chaos", "tunnel", "--help" or "-h"] => Say(ChaosCommand.Usage, 0),
    ["chaos", "apps", "--help" or "-h"] => Say(AppKills.Usage, 0),
    ["chaos", "apps", .. var rest] => await AppKills.RunAsync(rest),
    ["chaos", "tunnel", .. var rest] => await ChaosCommand.RunAsync(rest),
    ["chaos", ..] => Say($"{ChaosCommand.Usage}\n\n{AppKills.Usage}", 2),
    ["prove", "leaks"] => await LeakProof.RunAsync(),
    ["prove", "--help" or "-h"] or ["prove", "leaks", "--help" or "-h"] => Say(ProveUsage, 0),
    ["prove", ..] => Say(ProveUsage, 2),
    ["import"] or ["import", "--help" or "-h"] => Say(ImportCommand.Usage, args.Length == 1 ? 2 : 0),
    ["import", .. var rest] => ImportCommand.Run(rest, Console.Out),
    ["verify-staging", .. var rest] => await StagingCommand.RunAsync([.. rest], Console.Out),
    _ => Say("usage: ./dev COMMAND [options]", 2),
};

static int Say(string text, int exit)
{
    (exit == 0 ? Console.Out : Console.Error).WriteLine(text);
    return exit;
}
