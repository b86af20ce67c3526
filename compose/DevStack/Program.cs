using Piccolo.DevStack.Demo;
using Piccolo.DevStack.Prove;

// Called by ./dev, which says what there is.
return args switch
{
    ["demo", .. var rest] => await DemoCommand.RunAsync(rest),
    ["prove", "leaks"] => await LeakProof.RunAsync(),
    _ => Unknown(),
};

static int Unknown()
{
    Console.Error.WriteLine("usage: ./dev demo [options]");
    return 2;
}
