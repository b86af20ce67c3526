using System.Globalization;
using System.Text;
using Piccolo.Core.Health;
using Piccolo.Core.Vault;
using Piccolo.Tests.Fakes;

namespace Piccolo.Tests.Core.Vault;

/// <summary>
/// A key-set file that somebody else wrote: it is refused in words, or its password does not open it; never a crash, a hang or a large allocation.
/// </summary>
[Category("Sealed")]
internal sealed class HostileKeySetTests
{
    private const int Seed = 20261124;
    private const int Mutations = 400;

    private TempFolder _folder = null!;
    private TestBox _box = null!;
    private byte[] _good = null!;

    [OneTimeSetUp]
    public async Task SetUp()
    {
        _folder = new TempFolder();
        _box = new TestBox(_folder.Path);
        await _box.SetUpAsync();
        await _box.Vault.GenerateRecoveryKeyAsync(TestBox.Password, CancellationToken.None);
        _good = await File.ReadAllBytesAsync(_box.Paths.KeySet);
    }

    [OneTimeTearDown]
    public void TearDown()
    {
        _box.Dispose();
        _folder.Dispose();
    }

    [Test]
    public void Mutations_AreRefusedOrWithinBounds()
    {
        var random = new Random(Seed);
        var distinct = new HashSet<string>(StringComparer.Ordinal);
        var refused = 0;
        for (var i = 0; i < Mutations; i++)
        {
            var bad = Mutate(random);
            distinct.Add(Convert.ToBase64String(bad));
            try
            {
                var set = KeySet.Parse(bad);
                Assert.That(set.Password.MemoryMib, Is.InRange(64, 1024));
                Assert.That(set.Password.Iterations, Is.InRange(2, 16));
                Assert.That(set.Password.Salt, Has.Length.EqualTo(PasswordKeyDerivation.SaltLength));
            }
            catch (KeySetCorruptException)
            {
                refused++;
            }
        }

        Assert.That(distinct, Has.Count.GreaterThan(200));
        Assert.That(refused, Is.GreaterThan(150));
    }

    [Test]
    public void Mutations_OnTheDisk_AreAFaultOrALockedBox()
    {
        var random = new Random(Seed + 1);
        using var folder = new TempFolder();
        for (var i = 0; i < Mutations; i++)
        {
            File.WriteAllBytes(folder.File("keyset.json"), Mutate(random));
            using var box = new TestBox(folder.Path);
            var faults = box.Health.Snapshot.Faults.Keys;

            Assert.That(box.Vault.State, Is.AnyOf(VaultState.Faulted, VaultState.Locked), $"mutation {i}");
            Assert.That(faults, box.Vault.State == VaultState.Faulted ? Is.EqualTo(new[] { FaultCode.KeysetCorrupt }) : Is.Empty);
        }
    }

    [TestCase("salt")]
    [TestCase("wrapped_data_key")]
    public async Task ChangedBox_DoesNotOpenWithTheRightPassword(string member)
    {
        var text = Encoding.UTF8.GetString(_good);
        var at = text.IndexOf($"\"{member}\": \"", StringComparison.Ordinal) + member.Length + 7;
        using var folder = new TempFolder();
        await File.WriteAllTextAsync(folder.File("keyset.json"), text[..at] + (text[at] == 'A' ? 'B' : 'A') + text[(at + 1)..]);
        using var box = new TestBox(folder.Path);

        Assert.That(await box.UnlockAsync(), Is.EqualTo(VaultOutcome.WrongPassword));
        Assert.That(box.Vault.State, Is.EqualTo(VaultState.Locked));
    }

    [Test]
    public async Task WrapsExchanged_OpenNeitherWay()
    {
        var set = KeySet.Parse(_good);
        using var folder = new TempFolder();
        var swapped = set with
        {
            Password = set.Password with { WrappedDataKey = set.Recovery!.WrappedDataKey },
            Recovery = set.Recovery with { WrappedDataKey = set.Password.WrappedDataKey },
        };
        await File.WriteAllBytesAsync(folder.File("keyset.json"), swapped.ToJson());
        using var box = new TestBox(folder.Path);

        Assert.That(await box.UnlockAsync(), Is.EqualTo(VaultOutcome.WrongPassword));
    }

    [Test]
    public void FileWithoutEnd_IsReadToItsLimitOnly()
    {
        using var folder = new TempFolder();
        using (var huge = File.Create(folder.File("keyset.json"))) huge.SetLength(8L << 30);
        var before = GC.GetAllocatedBytesForCurrentThread();
        using var box = new TestBox(folder.Path);

        Assert.That(box.Health.Snapshot.Faults.Keys, Is.EqualTo(new[] { FaultCode.KeysetCorrupt }));
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.LessThan(4 << 20));
    }

    private byte[] Mutate(Random random)
    {
        var text = Encoding.UTF8.GetString(_good);
        switch (random.Next(9))
        {
            case 0:
                return _good[..random.Next(_good.Length)];
            case 1:
                return [.. _good, .. Enumerable.Range(0, random.Next(1, 40_000)).Select(_ => (byte)random.Next(256))];
            case 2:
                var flipped = (byte[])_good.Clone();
                for (var n = random.Next(1, 6); n > 0; n--) flipped[random.Next(flipped.Length)] ^= (byte)random.Next(1, 256);
                return flipped;
            case 3:
                string[] numbers = ["-1", "0", "63", "1025", "2147483647", "2147483648", "1e9", "64.5", "\"64\"", "null", "true", "[]", "{}", "NaN",
                    random.Next().ToString(CultureInfo.InvariantCulture)];
                string[] members = ["\"version\": 2", "\"memory_mib\": 64", "\"iterations\": 2"];
                var member = members[random.Next(members.Length)];
                return Bytes(text.Replace(member, member[..(member.IndexOf(':', StringComparison.Ordinal) + 2)] + numbers[random.Next(numbers.Length)],
                    StringComparison.Ordinal));
            case 4:
                var lines = text.Split('\n').ToList();
                lines.RemoveAt(random.Next(lines.Count));
                return Bytes(string.Join('\n', lines));
            case 5:
                var doubled = text.Split('\n').ToList();
                var line = random.Next(doubled.Count);
                doubled.Insert(line, doubled[line]);
                return Bytes(string.Join('\n', doubled));
            case 6:
                var place = random.Next(text.Length);
                return Bytes(text[..place] + string.Concat(Enumerable.Repeat("{\"a\":[", random.Next(1, 500))) + text[place..]);
            case 7:
                var quote = text.IndexOf("\": \"", random.Next(text.Length / 2), StringComparison.Ordinal) + 4;
                return Bytes(text[..quote] + new string('A', random.Next(1, 12_000)) + text[quote..]);
            default:
                var cut = random.Next(text.Length);
                return Bytes(text[..cut] + "\0\uFFFF\uD7FF\\u0000" + text[Math.Min(text.Length, cut + random.Next(8))..]);
        }
    }

    private static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);
}
