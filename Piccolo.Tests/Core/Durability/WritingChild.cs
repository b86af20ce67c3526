using System.Diagnostics;
using Microsoft.Extensions.Options;
using Piccolo.Core.ControlStore;
using Piccolo.Core.ControlStore.Upkeep;
using Piccolo.Core.Exports;
using Piccolo.Core.Primitives;
using Piccolo.Core.Vault;
using Piccolo.Tests.Core.ControlStore;
using Piccolo.Tests.Fakes;

namespace Piccolo.Tests.Core.Durability;

/// <summary>
/// One durable write in a process of its own: <c>Piccolo.Tests write OPERATION STATE MARKS [STEP FILE]</c>. Leaves an empty file BEGIN in MARKS when it
/// begins and ACK when the write was acknowledged. With a step it kills itself there, after a file LANDED.
/// </summary>
internal static class WritingChild
{
    public const string Verb = "write";

    /// <summary>Commits that <c>commits</c> makes, each with a mark of its own.</summary>
    public const int Commits = 3;

    public static readonly StoreCollection<Note> Notes = new("notes");

    public static async Task<int> RunAsync(string[] args)
    {
        var (operation, state, marks) = (args[0], args[1], args[2]);
        if (args.Length > 3) KillItselfAt(Enum.Parse<WriteStep>(args[3]), Path.Combine(state, args[4]), marks);
        using var box = new TestBox(state, operation == "migrate" ? StoreMigrationTests.Next : null, iterations: operation == "raise-cost" ? 3 : 2);
        // The store is opened before the mark, where opening it is not what is looked at.
        if (operation is "commits" or "snapshot") await box.UnlockAsync();
        Mark(marks, "BEGIN");
        var done = operation switch
        {
            "file" => WriteFile(Path.Combine(state, "some.pem")),
            "set-up" => await box.SetUpAsync(),
            "unlock" or "raise-cost" or "migrate" => await box.UnlockAsync(),
            "change" => await box.Vault.ChangePasswordAsync(TestBox.Password, WriteRig.NewPassword, false, CancellationToken.None),
            "reset" => await box.Vault.ResetPasswordAsync(await File.ReadAllTextAsync(Path.Combine(marks, WriteRig.Words)), WriteRig.NewPassword,
                CancellationToken.None),
            "recovery-key" => (await box.Vault.GenerateRecoveryKeyAsync(TestBox.Password, CancellationToken.None)).Outcome,
            "commits" => Commit(box.Store, marks),
            "snapshot" => TakeSnapshot(box),
            "import" => await ImportAsync(box, Path.Combine(marks, WriteRig.Export)),
            _ => throw new ArgumentException($"No such operation: {operation}", nameof(args)),
        };
        Mark(marks, "ACK");
        return done == VaultOutcome.Done ? 0 : 1;
    }

    private static void KillItselfAt(WriteStep step, string path, string marks) => WriteSteps.Listener = (reached, file) =>
    {
        if (reached != step || file != path) return;
        Mark(marks, "LANDED");
        using var self = Process.GetCurrentProcess();
        self.Kill();
        // The signal is under way; nothing more is written meanwhile.
        using var never = new ManualResetEventSlim();
        never.Wait();
    };

    private static void Mark(string marks, string name) => File.Create(Path.Combine(marks, name)).Dispose();

    private static VaultOutcome WriteFile(string path)
    {
        AtomicFile.Write(path, "new"u8);
        return VaultOutcome.Done;
    }

    private static VaultOutcome Commit(SealedStore store, string marks)
    {
        for (var i = 1; i <= Commits; i++)
        {
            store.Commit(t =>
            {
                // Half of this would show: both records are of one commit, and larger than one page of the log.
                t.Put(Notes, $"a{i}", new Note(new string('a', 5000)));
                t.Put(Notes, $"b{i}", new Note(new string('b', 5000)));
            });
            Mark(marks, $"ACK{i}");
        }
        return VaultOutcome.Done;
    }

    private static VaultOutcome TakeSnapshot(TestBox box)
    {
        new StoreSnapshots(box.Paths, box.Time).Take(box.Store.CopyTo);
        return VaultOutcome.Done;
    }

    private static async Task<VaultOutcome> ImportAsync(TestBox box, string export)
    {
        using var intake = new ImportIntake(box.Paths, box.Vault, Options.Create(new ExportOptions()), Options.Create(new VaultOptions()),
            box.Log.For<ImportIntake>());
        await using var file = File.OpenRead(export);
        return await intake.ImportAsync(TestBox.Password, file, check => check(), CancellationToken.None) is ImportOutcome.Done ? VaultOutcome.Done
            : VaultOutcome.Faulted;
    }

    internal sealed record Note(string Text);
}
