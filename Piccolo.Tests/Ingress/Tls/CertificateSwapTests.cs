using System.Net;
using Microsoft.AspNetCore.Http;
using Piccolo.Core.Certificates.Serving;
using Piccolo.Tests.Ingress.Fakes;
using static Piccolo.Tests.Ingress.Fakes.FrontDoor;

namespace Piccolo.Tests.Ingress.Tls;

[Category("Timing")]
internal sealed class CertificateSwapTests
{
    private const int Swaps = 1000;

    [Test]
    public async Task Certificate_SwappedAThousandTimesUnderLoad_FailsNoRequest()
    {
        await using var door = await StartAsync();
        await using var app = await FakeApp.StartAsync(c => c.Response.WriteAsync("ok"));
        door.PublishApp("web", app.Port);
        var table = door.Get<ServerCertificateTable>();
        using var over = new CancellationTokenSource();
        // One request per swap, and at most one ahead: both go on side by side, and neither takes all of the machine.
        var due = new SemaphoreSlim(0);
        var answered = new SemaphoreSlim(1);
        var workers = new[]
        {
            Task.Run(() => AskAsync(door, "1.1", keepAlive: false, due, answered, over.Token)),
            Task.Run(() => AskAsync(door, "1.1", keepAlive: true, due, answered, over.Token)),
            Task.Run(() => AskAsync(door, "2.0", keepAlive: true, due, answered, over.Token)),
        };

        var serials = new HashSet<string>();
        for (var swap = 1; swap <= Swaps; swap++)
        {
            var bundle = door.Ca.IssueBundle("web.home.test");
            serials.Add(bundle.Leaf.SerialNumber);
            table.Replace([bundle]);
            Assert.That(await answered.WaitAsync(Patience), Is.True, string.Join('\n', workers.Select(w => w.Exception)));
            due.Release();
        }
        await over.CancelAsync();
        var requests = (await Task.WhenAll(workers).WaitAsync(Patience)).Sum();

        Assert.That(serials, Has.Count.EqualTo(Swaps));
        Assert.That(requests, Is.GreaterThanOrEqualTo(Swaps - 1));
        TestContext.Out.WriteLine($"{Swaps} swaps, {requests} requests, none failed");
    }

    /// <summary>Throws at the first request that fails: the chain must be whole and trusted, the answer the app's.</summary>
    private static async Task<int> AskAsync(FrontDoor door, string version, bool keepAlive, SemaphoreSlim due, SemaphoreSlim answered, CancellationToken over)
    {
        using var client = door.ClientFor(door.HttpsPort);
        var requests = 0;
        while (true)
        {
            try
            {
                await due.WaitAsync(over);
            }
            catch (OperationCanceledException)
            {
                return requests;
            }
            using var request = new HttpRequestMessage(HttpMethod.Get, "https://web.home.test/")
            {
                Version = Version.Parse(version),
                VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            };
            request.Headers.ConnectionClose = !keepAlive;
            using var response = await client.SendAsync(request, CancellationToken.None);
            Assert.That(response.StatusCode, Is.EqualTo(HttpStatusCode.OK));
            Assert.That(await response.Content.ReadAsStringAsync(CancellationToken.None), Is.EqualTo("ok"));
            requests++;
            answered.Release();
        }
    }
}
