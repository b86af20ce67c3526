using Docker.DotNet.Models;
using Piccolo.Core.Containers;
using Piccolo.Core.Containers.Podman;

namespace Piccolo.Tests.Core.Containers;

internal sealed class PullTallyTests
{
    private readonly List<PullProgress> _seen = [];
    private PullTally _tally;

    [SetUp]
    public void New()
    {
        _seen.Clear();
        _tally = new PullTally(_seen.Add);
    }

    [Test]
    public void Report_Layers_AreAddedUp()
    {
        _tally.Report(new JSONMessage { Status = "Pulling fs layer", ID = "a" });
        Assert.That(_seen, Is.Empty, "nothing has come yet");
        _tally.Report(Layer("a", 10, 100));
        _tally.Report(Layer("b", 0, 50));
        _tally.Report(Layer("a", 60, 100));
        _tally.Report(new JSONMessage { Status = "Download complete", ID = "a" });
        _tally.Report(new JSONMessage { Status = "Download complete", ID = "b" });
        _tally.Report(new JSONMessage { Status = "Pull complete" });

        Assert.That(_seen, Is.EqualTo(new PullProgress[] { new(10, 100), new(10, 150), new(60, 150), new(100, 150), new(150, 150) }));
    }

    [Test]
    public void Report_ALayerThatBeginsAgain_NeverFalls()
    {
        _tally.Report(Layer("a", 60, 100));
        _tally.Report(Layer("a", 0, 100));
        _tally.Report(Layer("a", 70, 100));

        Assert.That(_seen, Is.EqualTo(new PullProgress[] { new(60, 100), new(70, 100) }));
    }

    [Test]
    public void Report_SizesThatLie_AreNoTrouble()
    {
        _tally.Report(Layer("a", -5, -7));
        _tally.Report(Layer("b", long.MaxValue, long.MaxValue));
        _tally.Report(Layer("c", long.MaxValue, 1));
        for (var i = 0; i < 100_000; i++) _tally.Report(Layer($"layer{i}", 1, 1));

        Assert.That(_seen, Has.Count.EqualTo(1));
        Assert.That(_seen[0], Is.EqualTo(new PullProgress(long.MaxValue, long.MaxValue)));
    }

    [Test]
    public void Report_UnknownTotal_IsNull()
    {
        _tally.Report(Layer("a", 60, 0));

        Assert.That(_seen, Is.EqualTo(new PullProgress[] { new(60, null) }));
    }

    [Test]
    public void Report_Errors_TheFirstIsKept()
    {
        _tally.Report(new JSONMessage { Error = new JSONError { Message = "first" } });
        _tally.Report(new JSONMessage { Error = new JSONError { Message = "second" } });

        Assert.That(_tally.Error, Is.EqualTo("first"));
    }

    private static JSONMessage Layer(string id, long current, long total) =>
        new() { Status = "Downloading", ID = id, Progress = new JSONProgress { Current = current, Total = total } };
}
