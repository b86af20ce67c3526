using Microsoft.Extensions.Options;
using Piccolo.Api.Ingress.Configuration;
using Piccolo.Api.Listeners;
using Piccolo.Core.Listeners;
using Piccolo.Tests.Core.Apps;
using Piccolo.Tests.Fakes;

namespace Piccolo.Tests.Api.Listeners;

internal sealed class BusyPortLoopTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private AppRig _rig = null!;
    private LanPortStates _states = null!;
    private BusyPortLoop _loop = null!;
    private CapturedLog _log = null!;

    [SetUp]
    public async Task SetUp()
    {
        _rig = new AppRig();
        _states = new LanPortStates();
        _log = new CapturedLog();
        _loop = new BusyPortLoop(_states, _rig.Catalog, _rig.Leadership, Options.Create(new IngressOptions { BusyPortPatience = Patience }), _rig.Time,
            _log.For<BusyPortLoop>());
        _rig.Install(AppRig.Manifest("web"));
        await _loop.StartAsync(default);
    }

    [TearDown]
    public async Task TearDown()
    {
        await _loop.StopAsync(default);
        _loop.Dispose();
        _log.Dispose();
        await _rig.DisposeAsync();
    }

    [Test]
    public async Task Port_TakenForAMinute_IsReplacedForGood()
    {
        var listener = _rig.Listeners.Current.Single();
        var changed = _rig.Listeners.Changed.Version;
        var begun = _rig.Time.GetUtcNow();
        SetState(listener, isTaken: true);

        await _rig.Time.RunAsync(_rig.Listeners.Changed.WaitAsync(changed, CancellationToken.None), Patience * 2);
        // The line comes after the change that it tells of.
        await _log.FirstAsync(7800).WaitAsync(TimeSpan.FromSeconds(10));

        Assert.That(_rig.Catalog.Find("web")!.Ports.Single().PublicPort, Is.EqualTo(35001));
        Assert.That(_rig.Listeners.Current.Single(), Is.EqualTo(listener with { PublicPort = 35001 }));
        Assert.That(_log.Count(7800), Is.EqualTo(1));
        Assert.That(_rig.Time.GetUtcNow() - begun, Is.GreaterThanOrEqualTo(Patience));
    }

    [Test]
    public void MoveBusyPublicPort_ThatMovedAlready_ChangesNothing()
    {
        var revision = _rig.Store.Revision;

        Assert.That(_rig.Catalog.MoveBusyPublicPort("web", "web", 35099), Is.Null);
        Assert.That(_rig.Catalog.MoveBusyPublicPort("none", "web", 35000), Is.Null);
        Assert.That(_rig.Store.Revision, Is.EqualTo(revision));
    }

    [Test]
    public async Task Port_ThatCannotBeBoundForAnotherReason_StaysWhereItIs()
    {
        SetState(_rig.Listeners.Current.Single(), isTaken: false);
        _rig.Install(AppRig.Manifest("other"));
        var changed = _rig.Listeners.Changed.Version;
        SetState(_rig.Listeners.Current.Single(l => l.Name == "other"), isTaken: true);

        // The second one moves, so the first one has been looked at.
        await _rig.Time.RunAsync(_rig.Listeners.Changed.WaitAsync(changed, CancellationToken.None), Patience * 2);

        Assert.That(_rig.Catalog.Find("web")!.Ports.Single().PublicPort, Is.EqualTo(35000));
    }

    private void SetState(PublishedListener listener, bool isTaken) =>
        _states.Set(new LanPortState(listener, LanPortBinding.BindFailed, listener.PublicPort, "taken", _rig.Time.GetUtcNow()) { IsTaken = isTaken });
}
