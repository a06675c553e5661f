; A program that stands for launchpad.exe in the installer's tests: it writes how it was called beside itself, and called
; with `wait` runs until a file `go` is there.
Target amd64-unicode
Unicode true
Name "stand-in"
OutFile "${OUT}"
SilentInstall silent
RequestExecutionLevel user
!include "FileFunc.nsh"
!include "LogicLib.nsh"
Section
  ${GetParameters} $0
  FileOpen $1 "$EXEDIR\called.txt" w
  FileWrite $1 "$0"
  FileClose $1
  ${If} $0 == "wait"
    ${ForEach} $2 1 600 + 1
      ${If} ${FileExists} "$EXEDIR\go"
        ${Break}
      ${EndIf}
      Sleep 100
    ${Next}
  ${EndIf}
SectionEnd
