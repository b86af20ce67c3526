using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using Piccolo.Rig;
using Piccolo.Tests.Fakes;
using Piccolo.Tests.Ingress.Fakes;
using Piccolo.Tests.Ingress.PassThrough;

namespace Piccolo.Tests.Ingress.Limits;

/// <summary>A front door that may open few files, and clients of HTTP/2 who ask a slow app for much.</summary>
[Category("NeedsProcess")]
internal sealed class DescriptorLimitTests
{
    private const int Files = 700;
    private const int Clients = 40;
    private const int RequestsOfEach = 100;

    [Test]
    public async Task Streams_ManyOnEachConnection_LeaveDescriptorsForTheOwner()
    {
        using var folder = new TempFolder();
        using var app = new HoldingApp();
        string[] arguments =
            [$"--nofile={Files}:{Files}", "dotnet", "exec", typeof(DoorChild).Assembly.Location, DoorChild.Command,
                app.Port.ToString(CultureInfo.InvariantCulture)];
        await using var door = ChildProcess.Start(new ChildProcessStart("prlimit", arguments, folder.File("door.log"), "util-linux"));
        int[] ports = [.. (await door.WaitForLineAsync("PORTS ", FrontDoor.Patience)).Split(' ')[1..].Select(p => int.Parse(p, CultureInfo.InvariantCulture))];
        var clients = Enumerable.Range(0, Clients).Select(_ => ClientOf(ports[1])).ToList();
        var answers = new ConcurrentBag<HttpStatusCode>();
        try
        {
            var asking = clients.SelectMany(c => Enumerable.Range(0, RequestsOfEach).Select(i => AskAsync(c, i, answers))).ToList();
            // All that can be under way is: whoever is refused now was refused for want of room.
            await UntilAsync(() => answers.Contains(HttpStatusCode.ServiceUnavailable));

            for (var i = 0; i < 20; i++) Assert.That(await PortalAsync(ports[0]), Is.EqualTo(FrontDoor.PortalBody));
            Assert.That(Directory.GetFiles($"/proc/{door.Id}/fd"), Has.Length.LessThan(Files - 64));
            clients.ForEach(c => c.Dispose());
            await Task.WhenAll(asking).WaitAsync(FrontDoor.Patience);
        }
        finally
        {
            clients.ForEach(c => c.Dispose());
        }
        Assert.That(door.Exited.IsCompleted, Is.False);
        Assert.That(await PortalAsync(ports[0]), Is.EqualTo(FrontDoor.PortalBody));
    }

    private static async Task UntilAsync(Func<bool> condition)
    {
        using var patience = new CancellationTokenSource(FrontDoor.Patience);
        while (!condition()) await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, patience.Token);
    }

    private static async Task AskAsync(HttpClient client, int number, ConcurrentBag<HttpStatusCode> answers)
    {
        try
        {
            using var response = await client.GetAsync(new Uri($"https://web.home.test/{number}"), HttpCompletionOption.ResponseHeadersRead);
            answers.Add(response.StatusCode);
        }
        catch (Exception failure) when (failure is HttpRequestException or OperationCanceledException)
        {
            // Turned away at the door, or the test is over.
        }
    }

    private static async Task<string> PortalAsync(int port)
    {
        using var client = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { Timeout = FrontDoor.Patience };
        return await client.GetStringAsync(new Uri($"http://127.0.0.1:{port}/"));
    }

    private static HttpClient ClientOf(int port) => new(new SocketsHttpHandler
    {
        UseProxy = false,
        ConnectCallback = async (_, cancel) => new NetworkStream(await FrontDoor.ConnectAsync(port, cancel), ownsSocket: true),
#pragma warning disable CA5359 // the other process has a CA of its own
        SslOptions = new SslClientAuthenticationOptions { RemoteCertificateValidationCallback = static (_, _, _, _) => true },
#pragma warning restore CA5359
    })
    { DefaultRequestVersion = HttpVersion.Version20, DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact, Timeout = FrontDoor.Patience };

    /// <summary>Accepts everybody and answers nobody.</summary>
    private sealed class HoldingApp : IDisposable
    {
        private readonly TcpListener _listener = PassThroughTests.StartListening(out _);
        private readonly ConcurrentBag<Socket> _held = [];

        public HoldingApp() => _ = AcceptAsync();

        public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

        public void Dispose()
        {
            _listener.Dispose();
            foreach (var socket in _held) socket.Dispose();
        }

        private async Task AcceptAsync()
        {
            try
            {
                while (true) _held.Add(await _listener.AcceptSocketAsync());
            }
            catch (Exception failure) when (failure is SocketException or ObjectDisposedException)
            {
                // The test is over.
            }
        }
    }
}
