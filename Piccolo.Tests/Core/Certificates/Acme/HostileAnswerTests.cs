using Microsoft.AspNetCore.Http;
using Piccolo.Core.Certificates;
using Piccolo.Core.Certificates.Acme.Messages;
using Piccolo.Core.Certificates.Acme.Wire;
using Piccolo.Tests.Fakes;

namespace Piccolo.Tests.Core.Certificates.Acme;

/// <summary>Answers that are broken as such, whatever they are about.</summary>
[Category("Acme")]
[Category("Timing")]
internal sealed class HostileAnswerTests : HostileCaFixture
{
    private static readonly string[] Steps = ["dir", "new-account", "new-order", "authz", "chall", "finalize", "cert"];

    [Test]
    public async Task Order_HonestCa_IsIssuedWithNoMoreRequestsThanNeeded()
    {
        await OrderAsync();
        await Harness.UntilAsync(Id, CertificateStatus.Ok);

        var posts = Steps.Skip(1).Append("order").Sum(Ca.Count);
        Assert.That(posts, Is.LessThanOrEqualTo(9));
        Assert.That(Ca.Count("nonce"), Is.EqualTo(1), "every other nonce comes with an answer");
    }

    [Test]
    public async Task Answer_MalformedJson_BadResponse([Values("dir", "new-order", "authz", "finalize")] string step)
    {
        Ca.Say(step, 200, "application/json", "{\"status\":\"val");

        await AssertFailsAsync(AcmeFailureClass.BadResponse);
    }

    [Test]
    public async Task Answer_JsonOfOtherShape_BadResponse(
        [Values("dir", "new-order", "authz", "finalize")] string step,
        [Values("null", "[]", "{}", "{\"status\":7}",
            "{\"status\":\"pending\",\"challenges\":[null],\"identifiers\":[null],\"authorizations\":[null],\"finalize\":\"x\"}")] string body)
    {
        Ca.Say(step, 200, "application/json", body);

        await AssertFailsAsync(AcmeFailureClass.BadResponse);
    }

    [Test]
    public async Task Answer_DeeplyNestedJson_BadResponse()
    {
        Ca.Say("new-order", 200, "application/json", new string('[', 100_000));

        await AssertFailsAsync(AcmeFailureClass.BadResponse, "bad_url");
    }

    [Test]
    public async Task Answer_WrongContentType_BadResponse([Values("dir", "authz", "finalize", "cert")] string step)
    {
        Ca.Say(step, 200, "text/html", "<html>Please log in to this hotel's network</html>");

        await AssertFailsAsync(AcmeFailureClass.BadResponse, "bad_content_type");
    }

    [Test]
    public async Task Answer_EndlessBody_BadResponseAfterOneMebibyte([Values("dir", "new-order", "cert")] string step)
    {
        var cut = new TaskCompletionSource();
        Ca.Script[step] = async (context, _) =>
        {
            context.Response.ContentType = "application/json";
            var block = new byte[64 * 1024];
            while (!context.RequestAborted.IsCancellationRequested) await context.Response.BodyWriter.WriteAsync(block);
            cut.TrySetResult();
            return true;
        };

        await AssertFailsAsync(AcmeFailureClass.BadResponse, "too_large");
        await cut.Task.WaitAsync(EngineHarness.Patience);
    }

    [Test]
    public async Task Answer_EndlessBody_IsReadNoFurtherThanTheLimit()
    {
        await using var endless = new EndlessStream();
        using var http = new AcmeHttp(new OneAnswer(endless), EngineHarness.Patience, TimeProvider.System);

        var answer = await http.SendAsync(HttpMethod.Get, new Uri("https://ca.test/dir"), null, null, default);

        Assert.That(answer.Failure?.Code, Is.EqualTo("too_large"));
        Assert.That(endless.Taken, Is.InRange(AcmeHttp.MaxBodyBytes, AcmeHttp.MaxBodyBytes + (64 * 1024)));
    }

    [Test]
    public async Task Answer_EndlessHeaders_BadResponse()
    {
        Ca.Script["new-order"] = (context, _) =>
        {
            for (var i = 0; i < 60; i++) context.Response.Headers[$"X-Padding-{i}"] = new string('x', 1000);
            return Task.FromResult(false);
        };

        await AssertFailsAsync(AcmeFailureClass.BadResponse, "too_large");
    }

    [TestCase(false)]
    [TestCase(true, Description = "a byte now and then, for ever")]
    public async Task Answer_BodyThatNeverEnds_NetworkTimeout(bool trickles)
    {
        await using var hurried = new EngineHarness(Path.Combine(Folder.Path, "hurried"), Key, Hurried());
        Ca.Script["new-order"] = async (context, _) =>
        {
            context.Response.ContentType = "application/json";
            await context.Response.WriteAsync("{");
            await context.Response.Body.FlushAsync();
            // The pace of a peer, not a wait for anything: it ends with the client.
            using var trickle = new PeriodicTimer(TimeSpan.FromMilliseconds(50), TimeProvider.System);
            while (!context.RequestAborted.IsCancellationRequested)
            {
                if (trickles) await trickle.WaitForNextTickAsync();
                else await context.RequestAborted.FiredAsync();
                await context.Response.WriteAsync(" ");
                await context.Response.Body.FlushAsync();
            }
            return true;
        };

        await hurried.StartAsync();
        hurried.Scheduler.Want([EngineHarness.Want("web.home.test")]);
        var entry = await hurried.UntilAsync(Id, CertificateStatus.Error);

        Assert.That((entry.LastError!.Class, entry.LastError.Code), Is.EqualTo((AcmeFailureClass.Network, "timeout")));
    }

    [Test]
    public async Task Answer_ConnectionCut_Network([Values("dir", "new-account", "new-order", "finalize")] string step)
    {
        Ca.Script[step] = (context, _) =>
        {
            context.Abort();
            return Task.FromResult(true);
        };

        await AssertFailsAsync(AcmeFailureClass.Network);
    }

    [Test]
    public async Task Answer_5xx_CaUnavailable([Values("dir", "nonce", "new-account", "new-order", "authz", "chall", "finalize", "cert")] string step,
        [Values(500, 503)] int status)
    {
        Ca.Say(step, status, "text/html", "<h1>Server Error</h1>");

        await AssertFailsAsync(AcmeFailureClass.CaUnavailable, $"http_{status}");
    }

    [Test]
    public async Task Answer_503WithRetryAfter_IsObeyedInBothForms([Values] bool asDate)
    {
        var until = TimeProvider.System.GetUtcNow().AddHours(3);
        Ca.Refuse("new-order", 503, "serverInternal", "maintenance", asDate ? until.ToString("R", System.Globalization.CultureInfo.InvariantCulture) : "10800");

        var entry = await AssertFailsAsync(AcmeFailureClass.CaUnavailable, "server_internal");

        Assert.That(entry.NextAttempt, Is.GreaterThanOrEqualTo(until.AddSeconds(-1)));
    }

    [Test]
    public async Task Directory_Changed_IsReadAnewWithinTheSameAttempt()
    {
        await OrderAsync();
        await Harness.UntilAsync(Id, CertificateStatus.Ok);
        var read = Ca.Count("dir");

        // The addresses that the device knows are gone; where it began, it is told the new ones.
        Ca.Place = "elsewhere";
        Harness.Scheduler.Want([EngineHarness.Want("web.home.test"), EngineHarness.Want("next.home.test")]);
        await Harness.UntilAsync("host:next.home.test", CertificateStatus.Ok);

        Assert.That(Ca.Count("dir"), Is.EqualTo(read + 1), "known until it turned out to be wrong");
        Assert.That(Harness.Log.Count(2001), Is.Zero, Harness.Log.Text);
    }

    [TestCase("7200", 7200)]
    [TestCase(null, 15 * 60)]
    public async Task Answer_429_WaitsAtLeastAsAsked(string? retryAfter, int seconds)
    {
        Ca.Refuse("new-order", 429, "rateLimited", "too many new orders recently", retryAfter);

        var entry = await AssertFailsAsync(AcmeFailureClass.RateLimited, "rate_limited");

        Assert.That(entry.LastError!.Detail, Is.EqualTo("too many new orders recently"));
        Assert.That(entry.NextAttempt - entry.LastAttempt, Is.GreaterThanOrEqualTo(TimeSpan.FromSeconds(seconds)));
    }

    [Test]
    public async Task Answer_429WithDate_WaitsUntilThen()
    {
        var until = TimeProvider.System.GetUtcNow().AddHours(5);
        Ca.Refuse("new-order", 429, "rateLimited", "later", until.ToString("R", System.Globalization.CultureInfo.InvariantCulture));

        var entry = await AssertFailsAsync(AcmeFailureClass.RateLimited);

        Assert.That(entry.NextAttempt, Is.GreaterThanOrEqualTo(until.AddSeconds(-1)));
    }

    [Test]
    public async Task Nonces_AllRejected_BadResponseAfterABoundedNumber()
    {
        Ca.Refuse("new-account", 400, "badNonce", "stale");

        await AssertFailsAsync(AcmeFailureClass.BadResponse, "nonce_rejected");
        Assert.That(Ca.Count("new-account"), Is.EqualTo(AcmeRequests.MaxNonceTries));
    }

    [Test]
    public async Task Nonces_SomeRejected_TriedAgainWithTheFreshOne()
    {
        Ca.Refuse("new-account", 400, "badNonce", "stale", times: 3);

        await OrderAsync();
        await Harness.UntilAsync(Id, CertificateStatus.Ok);

        Assert.That(Ca.Count("new-account"), Is.EqualTo(4));
        Assert.That(Ca.Count("nonce"), Is.EqualTo(1), "a rejection brings a nonce with it");
    }

    [Test]
    public async Task Nonces_LostOnTheWay_AreFetchedOneByOne()
    {
        foreach (var step in Steps.Append("order"))
        {
            Ca.Script[step] = (context, _) =>
            {
                context.Response.Headers.Remove("Replay-Nonce");
                return Task.FromResult(false);
            };
        }

        await OrderAsync();
        await Harness.UntilAsync(Id, CertificateStatus.Ok);

        Assert.That(Ca.Count("nonce"), Is.EqualTo(Steps.Skip(1).Append("order").Sum(Ca.Count)), "one for each signed request");
    }

    [Test]
    public async Task Nonces_NoneGiven_BadResponse()
    {
        Ca.Script["nonce"] = (context, _) =>
        {
            context.Response.Headers.Remove("Replay-Nonce");
            return Task.FromResult(true);
        };
        Ca.Script["dir"] = (context, _) =>
        {
            context.Response.Headers.Remove("Replay-Nonce");
            return Task.FromResult(false);
        };

        await AssertFailsAsync(AcmeFailureClass.BadResponse, "no_nonce");
    }

    private sealed class OneAnswer(Stream body) : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            Task.FromResult(new HttpResponseMessage { Content = new StreamContent(body) });
    }

    private sealed class EndlessStream : Stream
    {
        public int Taken { get; private set; }

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            Taken += buffer.Length;
            return ValueTask.FromResult(buffer.Length);
        }

        public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
            ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

        public override void Flush()
        {
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
