using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Piccolo.Rig.Podman;

namespace Piccolo.Rig.Net;

/// <summary>
/// A network of the kernel's own: links, addresses, routes and firewall apart from this machine's. Needs root. Disposing deletes it; one that a killed process
/// left is deleted at the next start.
/// </summary>
public sealed partial class NetworkNamespace : IAsyncDisposable
{
    private const string Folder = "/run/netns";
    private const string Prefix = "pic-";
    private const int CloneNewNet = 0x40000000;

    private NetworkNamespace(string name) => Name = name;

    public string Name { get; }

    public string Path => PathOf(Name);

    public static string PathOf(string name) => System.IO.Path.Combine(Folder, name);

    public static async Task<NetworkNamespace> CreateAsync(CancellationToken cancellationToken = default)
    {
        await SweepAsync(cancellationToken);
        var name = string.Create(CultureInfo.InvariantCulture, $"{Prefix}{Environment.ProcessId}-{Guid.NewGuid().ToString("N")[..6]}");
        await IpAsync(["netns", "add", name], cancellationToken);
        var made = new NetworkNamespace(name);
        await made.RunAsync("ip", ["link", "set", "lo", "up"], cancellationToken);
        return made;
    }

    /// <summary>Joins two by a cable.</summary>
    /// <param name="address">With the length of its prefix.</param>
    public async Task ConnectAsync(string link, string address, NetworkNamespace other, string otherLink, string otherAddress)
    {
        await RunAsync("ip", ["link", "add", link, "type", "veth", "peer", "name", otherLink, "netns", other.Name]);
        await RunAsync("ip", ["addr", "add", address, "dev", link]);
        await RunAsync("ip", ["link", "set", link, "up"]);
        await other.RunAsync("ip", ["addr", "add", otherAddress, "dev", otherLink]);
        await other.RunAsync("ip", ["link", "set", otherLink, "up"]);
    }

    /// <summary>Runs a program in it to its end.</summary>
    /// <returns>What it printed.</returns>
    /// <exception cref="InvalidOperationException">It failed; the message has its own words.</exception>
    public Task<string> RunAsync(string program, IEnumerable<string> arguments, CancellationToken cancellationToken = default) => Tool.RunAsync(
        Tool.Prepare("nsenter", [$"--net={Path}", Tool.Find(program) ?? throw new InvalidOperationException($"{program} is not installed."), .. arguments]),
        cancellationToken);

    /// <summary>Makes something, sockets above all, in a network: it stays there, whoever uses it.</summary>
    public T Make<T>(Func<T> make) => MakeIn(Path, make);

    /// <param name="file">That of a namespace, or of a process: <c>/proc/ID/ns/net</c>.</param>
    public static T MakeIn<T>(string file, Func<T> make)
    {
        T made = default!;
        Exception? failure = null;
        // A network belongs to a thread: to one that ends afterwards.
        var thread = new Thread(() =>
        {
            try
            {
                using var handle = File.OpenHandle(file);
                if (SetNamespace(handle.DangerousGetHandle().ToInt32(), CloneNewNet) != 0)
                    throw new InvalidOperationException($"{file} cannot be entered: {Marshal.GetLastPInvokeErrorMessage()}");
                made = make();
            }
            catch (Exception e) when (e is SocketException or IOException or InvalidOperationException or UnauthorizedAccessException)
            {
                failure = e;
            }
        });
        thread.Start();
        thread.Join();
        return failure is null ? made : throw new InvalidOperationException(failure.Message, failure);
    }

    /// <summary>A socket of it that takes connections.</summary>
    public Socket Listen(IPEndPoint at) => Make(() =>
    {
        var socket = new Socket(at.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(at);
        socket.Listen();
        return socket;
    });

    public async ValueTask DisposeAsync() => await IpAsync(["netns", "delete", Name], CancellationToken.None);

    private static async Task SweepAsync(CancellationToken cancellationToken)
    {
        if (!Directory.Exists(Folder)) return;
        foreach (var name in Directory.EnumerateFiles(Folder, Prefix + "*").Select(System.IO.Path.GetFileName).OfType<string>())
        {
            if (Directory.Exists($"/proc/{name.Split('-')[1]}")) continue;
            try
            {
                await IpAsync(["netns", "delete", name], cancellationToken);
            }
            catch (InvalidOperationException) when (!File.Exists(PathOf(name)))
            {
                // Somebody else swept.
            }
        }
    }

    private static Task<string> IpAsync(IEnumerable<string> arguments, CancellationToken cancellationToken) =>
        Tool.RunAsync(Tool.Prepare("ip", arguments), cancellationToken);

    [LibraryImport("libc", EntryPoint = "setns", SetLastError = true)]
    private static partial int SetNamespace(int file, int kind);
}
