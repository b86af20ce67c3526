using Piccolo.Tests.Core.Certificates.Orders;
using Piccolo.Tests.Core.Durability;
using Piccolo.Tests.Core.Volumes;
using Piccolo.Tests.Ingress.Fakes;

namespace Piccolo.Tests;

/// <summary>What tests run in a process of its own, in order to kill it or to limit it. The test runner itself does not come by here.</summary>
internal static class Program
{
    public static async Task<int> Main(string[] args)
    {
        switch (args)
        {
            case [WritingChild.Verb, .. var rest]: return await WritingChild.RunAsync(rest);
            case [KilledChild.Command, .. var rest]: return await KilledChild.RunAsync(rest);
            case [RowWriter.Verb, .. var rest]: return await RowWriter.RunAsync(rest);
            case [DoorChild.Command, .. var rest]: return await DoorChild.RunAsync(rest);
        }
        await Console.Error.WriteLineAsync("These are tests: dotnet test Piccolo.Tests");
        return 2;
    }
}
