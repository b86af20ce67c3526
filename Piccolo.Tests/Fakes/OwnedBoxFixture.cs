namespace Piccolo.Tests.Fakes;

/// <summary>For tests that begin with a box that is claimed and unlocked, anew for each.</summary>
internal abstract class OwnedBoxFixture
{
    private TempFolder _folder = null!;

    protected TestBox Box { get; private set; } = null!;

    [SetUp]
    public async Task OpenBox()
    {
        _folder = new TempFolder();
        Box = new TestBox(_folder.Path);
        await PreparedKeySet.ClaimAsync(Box.Vault, Box.Paths);
        await Box.UnlockAsync();
    }

    [TearDown]
    public void CloseBox()
    {
        Box.Dispose();
        _folder.Dispose();
    }

    protected string FileOf(string name) => _folder.File(name);
}
