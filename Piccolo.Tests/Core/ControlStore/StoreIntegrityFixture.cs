using Piccolo.Core.ControlStore;
using Piccolo.Tests.Fakes;

namespace Piccolo.Tests.Core.ControlStore;

/// <summary>An open store with records of two collections.</summary>
internal abstract class StoreIntegrityFixture
{
    protected static readonly StoreCollection<Note> Notes = new("notes");
    protected static readonly StoreCollection<Note> Others = new("others");

    private protected TempFolder _folder = null!;
    private protected TestBox _box = null!;

    [SetUp]
    public async Task SetUp()
    {
        _folder = new TempFolder();
        _box = new TestBox(_folder.Path);
        await _box.SetUpAsync();
        await _box.UnlockAsync();
        foreach (var i in Enumerable.Range(0, 8)) _box.Store.Commit(t => t.Put(Notes, $"n{i}", new Note($"text {i}")));
        _box.Store.Commit(t => t.Delete(Notes, "n7"));
        _box.Store.Commit(t => t.Put(Others, "n0", new Note("other")));
    }

    [TearDown]
    public void TearDown()
    {
        _box.Dispose();
        _folder.Dispose();
    }

    protected sealed record Note(string Text);
}
