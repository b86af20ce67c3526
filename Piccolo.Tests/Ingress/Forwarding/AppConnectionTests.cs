using System.Net;
using Microsoft.Extensions.Time.Testing;
using Piccolo.Api.Ingress.Configuration;
using Piccolo.Api.Ingress.Forwarding.Direct;
using Piccolo.Tests.Ingress.Fakes;
using static Piccolo.Tests.Ingress.Fakes.FrontDoor;

namespace Piccolo.Tests.Ingress.Forwarding;

/// <summary>How long connections to apps live, and who notices when one side goes.</summary>
internal sealed class AppConnectionTests : RawAppFixture
{
    private const string Ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

    private readonly FakeTimeProvider _time = new(TimeProvider.System.GetUtcNow());

    private protected override TimeProvider Time => _time;

    [TestCase("1.1", true)]
    [TestCase("1.1", false)]
    [TestCase("2.0", true)]
    [TestCase("2.0", false)]
    public async Task Connection_ThatEndsAsTheNextRequestArrives_IsReplacedAndTheRequestAskedAgain(string version, bool reset)
    {
        var asking = GetAsync(version);
        using var app = await App.AcceptAsync();
        await app.AnswerAsync(Ok);
        await TextAsync(asking);

        asking = GetAsync(version);
        await app.RequestAsync();
        if (reset) app.Reset();
        else app.EndSending();
        using var next = await App.AcceptAsync();
        await next.AnswerAsync(Ok);

        Assert.That(await TextAsync(asking), Is.EqualTo("ok"));
    }

    [Test]
    public async Task Connection_ThatEndsAfterTheFirstByte_IsNotAskedAgain()
    {
        var asking = GetAsync("1.1");
        using var app = await App.AcceptAsync();
        await app.AnswerAsync(Ok);
        await TextAsync(asking);

        asking = GetAsync("1.1");
        await app.AnswerAsync("HTTP/1.1 2");
        app.EndSending();
        using var response = await asking;

        Assert.That(response.StatusCode, Is.EqualTo(HttpStatusCode.BadGateway));
        Assert.That(App.IsAskedFor, Is.False);
    }

    [Test]
    public async Task FreshConnection_ThatEndsWithoutAnAnswer_Is502()
    {
        var asking = GetAsync("1.1");
        using var app = await App.AcceptAsync();
        await app.RequestAsync();
        app.EndSending();
        using var response = await asking;

        Assert.That(response.StatusCode, Is.EqualTo(HttpStatusCode.BadGateway));
        Assert.That(App.IsAskedFor, Is.False);
    }

    [Test]
    public async Task App_ThatIsGone_Is503AlsoForConnectionsThatWaited()
    {
        var asking = GetAsync("1.1");
        using (var app = await App.AcceptAsync())
        {
            await app.AnswerAsync(Ok);
            await TextAsync(asking);
            App.Stop();
        }

        using var response = await GetAsync("1.1");

        Assert.That(response.StatusCode, Is.EqualTo(HttpStatusCode.ServiceUnavailable));
    }

    [TestCase("1.1")]
    [TestCase("2.0")]
    public async Task App_SilentForLongerThanTheLimit_Is504(string version)
    {
        var asking = GetAsync(version);
        using var app = await App.AcceptAsync();
        await app.RequestAsync();
        _time.Advance(new IngressOptions().ForwardIdleTimeout + TimeSpan.FromSeconds(3));

        using var response = await asking;

        Assert.That(response.StatusCode, Is.EqualTo(HttpStatusCode.GatewayTimeout));
        Assert.That(await response.Content.ReadAsStringAsync(), Does.Contain("\"code\":\"app_timeout\""));
        await app.UntilEndAsync();
    }

    [Test]
    public async Task App_SilentWithinItsAnswer_IsBrokenOff()
    {
        var asking = GetAsync("1.1");
        using var app = await App.AcceptAsync();
        await app.AnswerAsync("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello");
        using var response = await asking;
        using var content = await response.Content.ReadAsStreamAsync();
        await content.ReadExactlyAsync(new byte[5]);
        _time.Advance(new IngressOptions().ForwardIdleTimeout + TimeSpan.FromSeconds(3));

        Assert.That(async () => await content.ReadExactlyAsync(new byte[1]).AsTask().WaitAsync(Patience), Throws.InstanceOf<IOException>());
    }

    [Test]
    public async Task Connection_ThatWaitsForAMinute_IsClosed()
    {
        var asking = GetAsync("1.1");
        using var app = await App.AcceptAsync();
        await app.AnswerAsync(Ok);
        await TextAsync(asking);

        _time.Advance(TimeSpan.FromSeconds(62));

        await app.UntilEndAsync();
        Assert.That(Door.Get<AppConnections>().Count, Is.Zero);
    }

    [TestCase("1.1", "")]
    [TestCase("2.0", "")]
    [TestCase("1.1", "HTTP/1.1 200 OK\r\n\r\nhello")]
    [TestCase("2.0", "HTTP/1.1 200 OK\r\n\r\nhello")]
    public async Task Client_ThatGoesAway_TakesTheConnectionWithIt(string version, string answer)
    {
        using var leaving = new CancellationTokenSource();
        var asking = Client.SendAsync(Request(HttpMethod.Get, version), HttpCompletionOption.ResponseHeadersRead, leaving.Token);
        using var app = await App.AcceptAsync();
        await app.AnswerAsync(answer);
        if (answer.Length > 0) (await asking).Dispose();
        else await leaving.CancelAsync();

        await app.UntilEndAsync();
        Assert.That(async () => await asking, answer.Length > 0 ? Throws.Nothing : Throws.InstanceOf<OperationCanceledException>());
    }

    [TestCase("1.1")]
    [TestCase("2.0")]
    public async Task Drop_EndsWhatWaitsAndWhatIsUnderWay(string version)
    {
        var first = GetAsync(version);
        using var waiting = await App.AcceptAsync();
        var second = GetAsync(version);
        using var busy = await App.AcceptAsync();
        await busy.AnswerAsync("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello");
        using var response = await second;
        using var content = await response.Content.ReadAsStreamAsync();
        await content.ReadExactlyAsync(new byte[5]);
        await waiting.AnswerAsync(Ok);
        await TextAsync(first);

        Door.Get<AppConnections>().Drop();

        await waiting.UntilEndAsync();
        await busy.UntilEndAsync();
        Assert.That(async () => await content.ReadExactlyAsync(new byte[1]).AsTask().WaitAsync(Patience),
            Throws.InstanceOf<IOException>().Or.InstanceOf<HttpProtocolException>());
        var after = GetAsync(version);
        using var fresh = await App.AcceptAsync();
        await fresh.AnswerAsync(Ok);
        Assert.That(await TextAsync(after), Is.EqualTo("ok"));
    }

    [TestCase("1.1")]
    [TestCase("2.0")]
    [TestCase("1.1", "DELETE")]
    public async Task Content_OfAnySize_IsNeverAheadOfASlowClientByMoreThanBuffers(string version, string method = "GET")
    {
        const int Total = 128 * 1024 * 1024;
        using var request = Request(HttpMethod.Get, version);
        request.Method = new HttpMethod(method);
        var asking = Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        using var app = await App.AcceptAsync();
        await app.AnswerAsync($"HTTP/1.1 200 OK\r\nContent-Length: {Total}\r\n\r\n");
        var block = new byte[64 * 1024];
        long sent = 0;
        var sending = Task.Run(async () =>
        {
            for (; sent < Total; Interlocked.Add(ref sent, block.Length)) await app.SendAsync(block);
        });
        using var response = await asking;
        using var stall = new PeriodicTimer(TimeSpan.FromMilliseconds(300));
        for (long seen = -1; seen != Interlocked.Read(ref sent);)
        {
            seen = Interlocked.Read(ref sent);
            await stall.WaitForNextTickAsync();
        }

        Assert.That(Interlocked.Read(ref sent), Is.InRange(1, Total / 2), "a client that does not read holds the app back");
        using var content = await response.Content.ReadAsStreamAsync();
        long received = 0;
        for (int read; (read = await content.ReadAsync(block).AsTask().WaitAsync(Patience)) > 0;) received += read;
        await sending.WaitAsync(Patience);
        Assert.That(received, Is.EqualTo(Total));
    }
}
