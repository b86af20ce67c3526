using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Piccolo.Tests.Fakes;
using Piccolo.Tests.Interop;

namespace Piccolo.Tests.Packaging;

/// <summary><c>packaging/oci/probe</c>: the health check of the image.</summary>
[Category("NeedsProcess")]
internal sealed class ProbeTests
{
    [TestCase("HTTP/1.1 200 OK\r\n\r\n", 0)]
    [TestCase("HTTP/1.1 503 Service Unavailable\r\n\r\n", 1)]
    [TestCase("", 1)]
    public async Task Probe_Answer_DecidesHowItEnds(string answer, int exitCode)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port.ToString(CultureInfo.InvariantCulture);
        var run = ToolRun.OfAsync(Repository.File("packaging/oci/probe"), [port]);

        using (var client = await listener.AcceptSocketAsync())
        {
            // The shell sends line by line.
            var request = new StringBuilder();
            var part = new byte[1024];
            while (!request.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal) && await client.ReceiveAsync(part) is > 0 and var length)
                request.Append(Encoding.ASCII.GetString(part, 0, length));
            Assert.That(request.ToString(), Does.StartWith("GET /health/ready HTTP/1.1\r\nHost: localhost\r\n"));
            await client.SendAsync(Encoding.ASCII.GetBytes(answer));
        }

        Assert.That((await run).ExitCode, Is.EqualTo(exitCode), (await run).Output);
    }

    [Test]
    public async Task Probe_NobodyListens_Fails()
    {
        int port;
        using (var listener = new TcpListener(IPAddress.Loopback, 0))
        {
            listener.Start();
            port = ((IPEndPoint)listener.LocalEndpoint).Port;
        }

        Assert.That((await ToolRun.OfAsync(Repository.File("packaging/oci/probe"), [port.ToString(CultureInfo.InvariantCulture)])).ExitCode, Is.EqualTo(1));
    }
}
