using System.Net;
using System.Net.Sockets;
using Piccolo.Rig;
using Piccolo.Tests.Fakes;

namespace Piccolo.Tests.Api.Platform;

/// <summary>An appliance that may open few files, and clients who hold more connections than that.</summary>
[Category("NeedsProcess")]
internal sealed class FewDescriptorsTests
{
    private const int Files = 4096;
    private const int Held = 2500;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    [Test]
    public async Task Connections_MoreThanThereAreDescriptors_AreRefusedAndTheDaemonAnswersMeanwhile()
    {
        using var folder = new TempFolder();
        int[] ports = [.. LoopbackPorts.Free(2)];
        var environment = new Dictionary<string, string>
        {
            ["ASPNETCORE_ENVIRONMENT"] = "Development",
            ["Piccolo__StateDirectory"] = folder.File("state"),
            ["Piccolo__Ingress__HttpPort"] = $"{ports[0]}",
            ["Piccolo__Ingress__HttpsPort"] = $"{ports[1]}",
        };
        string[] arguments = [$"--nofile={Files}:{Files}", "dotnet", SolutionBuild.Find("Piccolo.Api")];
        await using var daemon = ChildProcess.Start(
            new ChildProcessStart("prlimit", arguments, folder.File("appliance.log"), "util-linux") { Environment = environment });
        await daemon.WaitForPortAsync(ports[0], Limit);
        var held = new List<Socket>();
        using var kept = new KeptConnection(ports[0]);
        Assert.That(await kept.GetAsync("/metrics"), Does.Not.Contain("piccolo_ingress_refused"), "nobody has been refused yet");
        try
        {
            foreach (var port in ports)
                for (var i = 0; i < Held; i++) await DialAsync(port, held);

            Assert.That(await kept.GetAsync("/health/ready"), Does.Contain("\"ready\":true"), "who is in is served while the others are held");
            Assert.That(await kept.GetAsync("/metrics"), Does.Match("""piccolo_ingress_refused\S*\{.*\} [1-9]"""));
            Assert.That(kept.Dialled, Is.EqualTo(1), "all of it over the connection from before");
        }
        finally
        {
            held.ForEach(s => s.Dispose());
        }

        // And others are let in again.
        await UntilAliveAsync(ports[0]);
        Assert.That(await File.ReadAllTextAsync(daemon.LogFile), Does.Contain($"the open-file limit is {Files}"));
    }

    private static async Task DialAsync(int port, List<Socket> held)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        held.Add(socket);
        try
        {
            await socket.ConnectAsync(IPAddress.Loopback, port).WaitAsync(Limit);
        }
        catch (SocketException failure) when (failure.SocketErrorCode == SocketError.ConnectionReset)
        {
            // Turned away already. One that is refused would mean that nobody listens any more.
        }
    }

    /// <summary>A place is free again a moment after its client has gone; a daemon that is dead never answers.</summary>
    private static async Task UntilAliveAsync(int port)
    {
        using var client = new HttpClient(new SocketsHttpHandler { UseProxy = false });
        using var limit = new CancellationTokenSource(Limit);
        while (true)
        {
            try
            {
                using var response = await client.GetAsync(new Uri($"http://127.0.0.1:{port}/health/live"), limit.Token);
                Assert.That(response.StatusCode, Is.EqualTo(HttpStatusCode.OK));
                return;
            }
            catch (HttpRequestException failure) when (failure.HttpRequestError != HttpRequestError.ConnectionError
                || failure.InnerException is not SocketException { SocketErrorCode: SocketError.ConnectionRefused })
            {
                // Turned away: not yet.
            }
        }
    }

    /// <summary>One connection that is opened once and not given back between requests.</summary>
    private sealed class KeptConnection : IDisposable
    {
        private readonly HttpClient _http;

        public KeptConnection(int port) => _http = new HttpClient(new SocketsHttpHandler
        {
            UseProxy = false,
            MaxConnectionsPerServer = 1,
            PooledConnectionIdleTimeout = Timeout.InfiniteTimeSpan,
            ConnectCallback = async (context, cancellationToken) =>
            {
                Dialled++;
                var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
                await socket.ConnectAsync(context.DnsEndPoint, cancellationToken);
                return new NetworkStream(socket, ownsSocket: true);
            },
        })
        { BaseAddress = new Uri($"http://127.0.0.1:{port}"), Timeout = Limit };

        public int Dialled { get; private set; }

        public Task<string> GetAsync(string path) => _http.GetStringAsync(new Uri(path, UriKind.Relative));

        public void Dispose() => _http.Dispose();
    }
}
