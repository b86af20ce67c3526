using System.Globalization;
using Piccolo.Tests.Fakes;

namespace Piccolo.Tests.Ingress.Fakes;

/// <summary>
/// The front door in a process of its own, with one app, under limits that the test sets:
/// <c>Piccolo.Tests door-child APPPORT</c>. Prints its two ports.
/// </summary>
internal static class DoorChild
{
    public const string Command = "door-child";

    public static async Task<int> RunAsync(string[] args)
    {
        await using var door = await FrontDoor.StartAsync();
        door.PublishApp("web", int.Parse(args[0], CultureInfo.InvariantCulture));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"PORTS {door.HttpPort} {door.HttpsPort}"));
        await CancellationToken.None.FiredAsync();
        return 0;
    }
}
