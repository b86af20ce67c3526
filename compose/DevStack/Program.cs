using Piccolo.DevStack.Demo;

// Called by ./dev, which says what there is.
return args switch
{
    ["demo", .. var rest] => await DemoCommand.RunAsync(rest),
    _ => Unknown(),
};

static int Unknown()
{
    Console.Error.WriteLine("usage: ./dev demo [options]");
    return 2;
}
