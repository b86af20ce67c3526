using Piccolo.DevStack.Bench;
using Piccolo.DevStack.Demo;

const string BenchUsage = """
    usage: ./dev bench AREA [options]

      vault [--unlocks N]   an owner's unlock alone and while others guess; commits; readiness meanwhile

    Prints BAR lines, writes its table to bench/README.md, and exits 1 when a bar is SHORT.
    """;

// Called by ./dev, which says what there is.
return args switch
{
    ["demo", .. var rest] => await DemoCommand.RunAsync(rest),
    ["bench", "vault", .. var rest] => await VaultBench.RunAsync([.. rest]),
    ["bench", "--help" or "-h"] => Say(BenchUsage, 0),
    ["bench", ..] => Say(BenchUsage, 2),
    _ => Say("usage: ./dev COMMAND [options]", 2),
};

static int Say(string text, int exit)
{
    (exit == 0 ? Console.Out : Console.Error).WriteLine(text);
    return exit;
}
