Console.Error.WriteLine("DevStack: nothing here yet");
return 1;
