using System.Text;
using Piccolo.DevRelay.Hub;
using Piccolo.Tests.Tools.DevRelay.Fakes;

namespace Piccolo.Tests.Tools.DevRelay.Hub;

[Category("DevRelay"), Category("Nexus")]
internal sealed class LanesTests
{
    [Test]
    public async Task Nx037_Challenge_GetsThroughThoughTheDataLaneIsFull()
    {
        var lanes = new Lanes();
        for (var i = 0; i < 256; i++) Assert.That(lanes.TryData(new byte[] { 1 }), Is.True);
        Assert.That(lanes.TryData(new byte[] { 1 }), Is.False);

        Assert.That(lanes.TryChallenge("challenge"u8.ToArray()), Is.True);

        Outgoing[] first = [await lanes.TakeAsync(default), await lanes.TakeAsync(default)];
        var text = first.Single(o => o.Opcode is WebSocketOpcode.Text);
        Assert.That(Encoding.ASCII.GetString(text.Payload.Span), Is.EqualTo("challenge"));
    }

    [Test]
    public async Task Nx051_FullLanes_AreServedInTurnAndInOrder()
    {
        var lanes = new Lanes();
        for (var i = 0; i < 256; i++)
        {
            lanes.TryData(new[] { (byte)1, (byte)i });
            lanes.TryControl(new[] { (byte)2, (byte)i });
        }

        Assert.That(lanes.TryControl(new byte[1]), Is.False);
        var taken = new List<byte[]>();
        for (var i = 0; i < 512; i++) taken.Add((await lanes.TakeAsync(default)).Payload.ToArray());

        Assert.That(taken.Where(t => t[0] == 1).Select(t => t[1]), Is.Ordered);
        Assert.That(taken.Where(t => t[0] == 2).Select(t => t[1]), Is.Ordered);
        Assert.That(taken.Take(16).Count(t => t[0] == 1), Is.EqualTo(8));
    }

    [Test]
    public async Task WriterTurn_WithMuchWaiting_IsGivenUnlessTheBackendHoldsTheWriterUp()
    {
        var lanes = new Lanes();
        for (var i = 0; i < 127; i++) lanes.TryData(new byte[] { 1 });
        Assert.That(lanes.WriterTurnAsync(default).AsTask().IsCompleted, Is.True, "not much yet");

        lanes.TryData(new byte[] { 1 });
        var next = lanes.WriterTurnAsync(default).AsTask();
        Assert.That(next.IsCompleted, Is.False);
        await lanes.TakeAsync(default);
        await next.WaitAsync(ScriptedBackend.Patience);

        lanes.TryData(new byte[] { 1 });
        var user = lanes.WriterTurnAsync(default).AsTask();
        Assert.That(user.IsCompleted, Is.False);
        lanes.HoldUp(true);
        await user.WaitAsync(ScriptedBackend.Patience);
        Assert.That(lanes.WriterTurnAsync(default).AsTask().IsCompleted, Is.True, "nobody waits for a backend that does not read");
    }

    [Test]
    public async Task Take_OnEmptyLanes_WaitsForTheNextMessage()
    {
        var lanes = new Lanes();
        var taking = lanes.TakeAsync(default).AsTask();
        Assert.That(taking.IsCompleted, Is.False);

        lanes.TryControl(new byte[] { 9 });

        Assert.That((await taking.WaitAsync(ScriptedBackend.Patience)).Payload.ToArray(), Is.EqualTo(new byte[] { 9 }));
    }
}
