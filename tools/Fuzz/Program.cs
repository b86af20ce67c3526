using Piccolo.Fuzz;
using SharpFuzz;

// Called by ./dev fuzz, under afl-fuzz.
if (args is not [var name] || FuzzTargets.Find(name) is not { } target)
{
    Console.Error.WriteLine($"usage: Fuzz {string.Join('|', FuzzTargets.Names)}");
    return 2;
}

Fuzzer.Run(stream =>
{
    using var bytes = new MemoryStream();
    stream.CopyTo(bytes);
    target(bytes.ToArray());
});
return 0;
