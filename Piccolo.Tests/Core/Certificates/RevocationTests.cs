using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Piccolo.Core.Certificates;
using Piccolo.Core.Certificates.Acme;
using Piccolo.Core.Primitives;
using Piccolo.Tests.Fakes;

namespace Piccolo.Tests.Core.Certificates;

/// <summary>A certificate that was revoked, or whose issuer was, is renewed at once, by the CA's hint or by the issuer's own list.</summary>
[Category("Acme")]
internal sealed class RevocationTests : HostileCaFixture
{
    private ListServer _lists = null!;

    [SetUp]
    public async Task StartLists() => _lists = await ListServer.StartAsync();

    [TearDown]
    public async Task StopLists() => await _lists.DisposeAsync();

    [Test]
    public async Task Held_ListedByItsIssuer_IsRenewedAtOnceAndTheListIsReadAtLeastDaily()
    {
        Ca.Chain = request =>
        {
            request.CertificateExtensions.Add(TestAuthority.ListedAt(_lists.Address("leaf")));
            // Not so young that the renewal would have to wait.
            return Ca.Authority.IssueChain(request, TimeSpan.FromDays(-2), TimeSpan.FromDays(88));
        };
        _lists.Content["leaf"] = Ca.Authority.ListOfIntermediate();
        var time = new SteppedTime(TimeProvider.System.GetUtcNow());
        var options = EngineHarness.OptionsFor(Ca);
        (options.RequestTimeout, options.OrderTimeout) = (TimeSpan.FromMinutes(5), TimeSpan.FromHours(1));
        await using var harness = new EngineHarness(Path.Combine(Folder.Path, "listed"), Key, options, time);
        await harness.StartAsync();
        harness.Scheduler.Want([EngineHarness.Want("web.home.test")]);
        var first = await time.RunAsync(harness.UntilAsync(Id, CertificateStatus.Ok), EngineHarness.LongestPoll);
        await _lists.FetchedAsync(1);
        // Read is not judged: the next look is a day after the moment at which this one has ended.
        await harness.Scheduler.SettledAsync();
        Assert.That(first.Renewal!.Source, Is.EqualTo(RenewalSource.Lifetime));

        _lists.Content["leaf"] = Ca.Authority.ListOfIntermediate(harness.Table.Find("web.home.test")!.Leaf);
        time.Advance(TimeSpan.FromDays(1.1));
        harness.Scheduler.Wake();
        var second = await time.RunAsync(NextAsync(harness, first), EngineHarness.LongestPoll);

        Assert.That(second.NotAfter, Is.Not.Null);
        Assert.That(harness.Log.Count(2022), Is.EqualTo(1), harness.Log.Text);
        Assert.That(Ca.Count("new-order"), Is.EqualTo(2));
        Assert.That(second.Renewal!.Source, Is.EqualTo(RenewalSource.Lifetime), "the new one is not listed");
    }

    [Test]
    public async Task FindRevoked_IssuerListedByItsRoot_IsFound()
    {
        using var authority = new TestAuthority(_lists.Address("root"));
        using var leaf = Leaf(authority);
        using var watch = Watch(authority.Root);
        _lists.Content["root"] = authority.ListOfRoot();
        Assert.That(await watch.FindRevokedAsync(Bundle(leaf, authority), default), Is.Null);

        _lists.Content["root"] = authority.ListOfRoot(authority.Intermediate);

        Assert.That((await watch.FindRevokedAsync(Bundle(leaf, authority), default))?.SerialNumber, Is.EqualTo(authority.Intermediate.SerialNumber));
    }

    [Test]
    public async Task FindRevoked_ListOfAStrangerOrRubbish_ProvesNothing()
    {
        using var authority = new TestAuthority();
        using var stranger = new TestAuthority();
        using var leaf = Leaf(authority, _lists.Address("leaf"));
        using var watch = Watch(authority.Root);
        var real = authority.ListOfIntermediate(leaf);

        foreach (var list in (byte[][])[[], [0x30, 0x80], [.. "<html>"u8], real[..^9], stranger.ListOfIntermediate(leaf), authority.ListOfRoot(leaf)])
        {
            _lists.Content["leaf"] = list;
            Assert.That(await watch.FindRevokedAsync(Bundle(leaf, authority), default), Is.Null);
        }
        _lists.Content["leaf"] = real;
        Assert.That(await watch.FindRevokedAsync(Bundle(leaf, authority), default), Is.Not.Null, "the list itself would have");
    }

    [Test]
    public void AddressesOf_NoneOrMalformed_IsEmpty()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = TestAuthority.Request(key, "web.test");
        request.CertificateExtensions.Add(new X509Extension("2.5.29.31", [0x30, 0x05, 0x30, 0x80, 1, 2, 3], critical: false));
        using var malformed = request.CreateSelfSigned(TimeProvider.System.GetUtcNow().AddDays(-1), TimeProvider.System.GetUtcNow().AddDays(1));
        using var plain = Ca.Authority.Issue(TestAuthority.Request(key, "web.test"));
        using var listed = Leaf(Ca.Authority, new Uri("http://lists.test/1.crl"));

        Assert.That(RevocationList.AddressesOf(malformed), Is.Empty);
        Assert.That(RevocationList.AddressesOf(plain), Is.Empty);
        Assert.That(RevocationList.AddressesOf(listed), Is.EqualTo(new[] { new Uri("http://lists.test/1.crl") }));
    }

    [TestCase(30, 30.0)]
    [TestCase(0.1, 0.9, Description = "a CA that goes on below a revoked issuer is not asked for ever")]
    public void Decide_Revoked_IsAtOnceWhateverTheHintSays(double seenAfterDays, double expectedAfterDays)
    {
        var begin = new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
        var moment = RenewalPolicy.Decide(begin, begin.AddDays(90), 0.5, (begin.AddDays(58), begin.AddDays(60)), begin.AddDays(seenAfterDays));

        Assert.That((moment.Source, moment.At), Is.EqualTo((RenewalSource.Revocation, begin.AddDays(expectedAfterDays))));
    }

    private static async Task<CertificateEntry> NextAsync(EngineHarness harness, CertificateEntry before) =>
        (await harness.UntilAsync(l => l.Single() is { Status: CertificateStatus.Ok } e && e.Serial != before.Serial)).Single();

    private static X509Certificate2 Leaf(TestAuthority authority, Uri? listedAt = null)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = TestAuthority.Request(key, "web.test");
        if (listedAt is not null) request.CertificateExtensions.Add(TestAuthority.ListedAt(listedAt));
        using var bare = authority.Issue(request);
        return bare.CopyWithPrivateKey(key);
    }

    private static ServerCertificateBundle Bundle(X509Certificate2 leaf, TestAuthority authority) => new(leaf, [authority.Intermediate], [DomainName.Parse("web.test")]);

    private static RevocationWatch Watch(X509Certificate2 root) => new(new AcmeHttp(new SocketsHttpHandler(), TimeSpan.FromSeconds(10), TimeProvider.System), () => [root]);

    /// <summary>Serves lists by plain HTTP, as CAs do.</summary>
    private sealed class ListServer(WebApplication app) : IAsyncDisposable
    {
        private readonly SemaphoreSlim _fetched = new(0);

        public ConcurrentDictionary<string, byte[]> Content { get; } = new();

        public static async Task<ListServer> StartAsync()
        {
            var builder = WebApplication.CreateSlimBuilder();
            builder.Logging.ClearProviders();
            builder.WebHost.ConfigureKestrel(k => k.Listen(IPAddress.Loopback, 0));
            var app = builder.Build();
            var server = new ListServer(app);
            app.MapGet("/{name}", server.Answer);
            await app.StartAsync();
            return server;
        }

        public Uri Address(string name) => new(new Uri(app.Urls.Single()), name);

        public async Task FetchedAsync(int times)
        {
            for (var i = 0; i < times; i++) Assert.That(await _fetched.WaitAsync(EngineHarness.Patience), Is.True);
        }

        public async ValueTask DisposeAsync()
        {
            await app.DisposeAsync();
            _fetched.Dispose();
        }

        private IResult Answer(string name)
        {
            _fetched.Release();
            return Content.TryGetValue(name, out var list) ? Results.Bytes(list, "application/pkix-crl") : Results.NotFound();
        }
    }
}
