; The installer for one account: no administrator is needed. Compiled by build.py, which defines TARGET, VERSION, VERSION4,
; ORDER, FILES (the lists of files), ICON, LICENSE, OUT, and SIGN where there is a key.
;
;   setup.exe /S              installs without asking; /D=C:\folder (last) chooses the folder
;   setup.exe /S /NOPATH      leaves PATH alone, in later versions, too
;   uninstall.exe /S          removes the program and caches; data stay
;   uninstall.exe /S /DELETEDATA   also settings, drafts, results and the platform on this computer
;
; Ends with 0 done, 1 cancelled, 2 it runs and cannot be replaced, 3 a newer version is there, 4 a file cannot be written.
Target ${TARGET}
Unicode true
!include "MUI2.nsh"
!include "FileFunc.nsh"
!include "WordFunc.nsh"
!include "LogicLib.nsh"
!include "StrFunc.nsh"
!include "x64.nsh"
${StrStr}
${UnStrRep}

!define NAME "Launchpad"
!define UNINSTALL "Software\Microsoft\Windows\CurrentVersion\Uninstall\Launchpad"
!define CLASSES "Software\Classes"
!define MAX_PATH_VARIABLE 1000 ; characters; longer ones are left alone, as NSIS would cut them off

Name "${NAME}"
OutFile "${OUT}"
InstallDir "$LOCALAPPDATA\Programs\Launchpad"
InstallDirRegKey HKCU "${UNINSTALL}" "InstallLocation"
RequestExecutionLevel user
SetCompressor /SOLID lzma
AllowSkipFiles off ; no program that lacks a file
ManifestDPIAware true
ShowInstDetails nevershow
BrandingText "Launchpad ${VERSION}: for research use only"
VIProductVersion "${VERSION4}"
VIAddVersionKey "ProductName" "${NAME}"
VIAddVersionKey "FileDescription" "Launchpad installer"
VIAddVersionKey "FileVersion" "${VERSION}"
VIAddVersionKey "ProductVersion" "${VERSION}"
VIAddVersionKey "LegalCopyright" "MIT licence"
!ifdef SIGN
  !finalize '${SIGN} "%1"' = 0
  !uninstfinalize '${SIGN} "%1"' = 0
!endif

!define MUI_ICON "${ICON}"
!define MUI_UNICON "${ICON}"
!define MUI_ABORTWARNING
!define MUI_FINISHPAGE_RUN "$INSTDIR\launchpad-desktop.exe"
!insertmacro MUI_PAGE_WELCOME
!insertmacro MUI_PAGE_LICENSE "${LICENSE}"
!insertmacro MUI_PAGE_DIRECTORY
!insertmacro MUI_PAGE_INSTFILES
!insertmacro MUI_PAGE_FINISH
!insertmacro MUI_UNPAGE_CONFIRM
!insertmacro MUI_UNPAGE_INSTFILES
!insertmacro MUI_LANGUAGE "English"

Var NoPath
Var DeleteData
Var Upgrade

; Sets the error flag while one of our programs runs: a file that runs cannot be opened for writing.
!macro StillRuns PROGRAM
  ${If} ${FileExists} "$INSTDIR\${PROGRAM}"
    ClearErrors
    FileOpen $R0 "$INSTDIR\${PROGRAM}" a
    ${If} ${Errors}
      StrCpy $R1 "1"
    ${Else}
      FileClose $R0
    ${EndIf}
  ${EndIf}
!macroend

!macro WaitUntilEnded UN
Function ${UN}WaitUntilEnded
  ${If} ${FileExists} "$INSTDIR\launchpad.exe"
    ; Runs on the platform of this computer go on at its next start.
    nsExec::Exec /TIMEOUT=30000 '"$INSTDIR\launchpad.exe" platform stop'
    Pop $R0
  ${EndIf}
  again:
  StrCpy $R1 "0"
  !insertmacro StillRuns "launchpad.exe"
  !insertmacro StillRuns "launchpad-desktop.exe"
  ${If} $R1 == "1"
    MessageBox MB_RETRYCANCEL|MB_ICONEXCLAMATION "Launchpad is running. Close it, then try again." /SD IDCANCEL IDRETRY again
    SetErrorLevel 2
    Quit
  ${EndIf}
FunctionEnd
!macroend
!insertmacro WaitUntilEnded ""
!insertmacro WaitUntilEnded "un."

Function .onInit
  ${IfNot} ${RunningX64}
    MessageBox MB_OK|MB_ICONSTOP "Launchpad needs Windows of 64 bits." /SD IDOK
    SetErrorLevel 1
    Quit
  ${EndIf}
  ${GetParameters} $R0
  ClearErrors
  ${GetOptions} $R0 "/NOPATH" $R1
  ${IfNot} ${Errors}
    StrCpy $NoPath "1"
  ${EndIf}
  ReadRegDWORD $R1 HKCU "${UNINSTALL}" "NoPath"
  ${If} $R1 == 1 ; an update leaves it alone, too
    StrCpy $NoPath "1"
  ${EndIf}
  ReadRegStr $R2 HKCU "${UNINSTALL}" "DisplayVersion"
  ReadRegStr $R4 HKCU "${UNINSTALL}" "Order"
  ${If} $R4 != ""
    ${VersionCompare} "$R4" "${ORDER}" $R3
    ${If} $R3 == "1"
      MessageBox MB_YESNO|MB_ICONEXCLAMATION|MB_DEFBUTTON2 "Launchpad $R2 is installed, which is newer. Its data may be unreadable for ${VERSION}. Go back all the same?" /SD IDNO IDYES goback
      SetErrorLevel 3
      Quit
      goback:
    ${EndIf}
  ${EndIf}
FunctionEnd

Section "Launchpad"
  SetShellVarContext current
  Call WaitUntilEnded
  ; What the earlier version installed goes, and nothing else; all of it, where that was another folder.
  StrCpy $R0 0
  ReadRegStr $R4 HKCU "${UNINSTALL}" "InstallLocation"
  ${If} ${FileExists} "$INSTDIR\uninstall.exe"
    ExecWait '"$INSTDIR\uninstall.exe" /S /UPGRADE _?=$INSTDIR' $R0
  ${EndIf}
  ${If} $R0 == 0
  ${AndIf} $R4 != ""
  ${AndIf} $R4 != $INSTDIR
  ${AndIf} ${FileExists} "$R4\uninstall.exe"
    ExecWait '"$R4\uninstall.exe" /S _?=$R4' $R0
    ${If} $R0 == 0
      Delete "$R4\uninstall.exe" ; it cannot delete itself from where it runs
      RMDir "$R4"
    ${EndIf}
  ${EndIf}
  ${If} $R0 != 0
    MessageBox MB_OK|MB_ICONSTOP "The earlier version cannot be removed. Close Launchpad, then start this again." /SD IDOK
    SetErrorLevel 2
    Quit
  ${EndIf}

  ; First what removes it: also an installation that ends in the middle is in the list of programs.
  SetErrorLevel 4
  SetOutPath "$INSTDIR"
  WriteUninstaller "$INSTDIR\uninstall.exe"
  WriteRegStr HKCU "${UNINSTALL}" "DisplayName" "${NAME}"
  WriteRegStr HKCU "${UNINSTALL}" "DisplayVersion" "${VERSION}"
  WriteRegStr HKCU "${UNINSTALL}" "Order" "${ORDER}"
  WriteRegStr HKCU "${UNINSTALL}" "DisplayIcon" "$INSTDIR\launchpad-desktop.exe"
  WriteRegStr HKCU "${UNINSTALL}" "Publisher" "The Launchpad developers"
  WriteRegStr HKCU "${UNINSTALL}" "InstallLocation" "$INSTDIR"
  WriteRegStr HKCU "${UNINSTALL}" "UninstallString" '"$INSTDIR\uninstall.exe"'
  WriteRegStr HKCU "${UNINSTALL}" "QuietUninstallString" '"$INSTDIR\uninstall.exe" /S'
  WriteRegDWORD HKCU "${UNINSTALL}" "NoModify" 1
  WriteRegDWORD HKCU "${UNINSTALL}" "NoRepair" 1
  ${If} $NoPath == "1"
    WriteRegDWORD HKCU "${UNINSTALL}" "NoPath" 1
  ${EndIf}
  !include "${FILES}\install.nsh"
  SetOutPath "$INSTDIR"
  SetErrorLevel 0

  CreateDirectory "$SMPROGRAMS\Launchpad"
  CreateShortcut "$SMPROGRAMS\Launchpad\Launchpad.lnk" "$INSTDIR\launchpad-desktop.exe"
  CreateShortcut "$SMPROGRAMS\Launchpad\Uninstall Launchpad.lnk" "$INSTDIR\uninstall.exe"
  ${GetSize} "$INSTDIR" "/S=0K" $R0 $R1 $R2
  WriteRegDWORD HKCU "${UNINSTALL}" "EstimatedSize" "$R0"

  ; Slides open with Launchpad where a person chooses it; what opens them now stays.
  WriteRegStr HKCU "${CLASSES}\Launchpad.Slide" "" "Whole slide image"
  WriteRegStr HKCU "${CLASSES}\Launchpad.Slide\DefaultIcon" "" "$INSTDIR\launchpad-desktop.exe,0"
  WriteRegStr HKCU "${CLASSES}\Launchpad.Slide\shell\open\command" "" '"$INSTDIR\launchpad-desktop.exe" "%1"'
  !include "${FILES}\types.nsh"
  WriteRegStr HKCU "${CLASSES}\launchpad" "" "URL:Launchpad"
  WriteRegStr HKCU "${CLASSES}\launchpad" "URL Protocol" ""
  WriteRegStr HKCU "${CLASSES}\launchpad\shell\open\command" "" '"$INSTDIR\launchpad-desktop.exe" "%1"'
  WriteRegStr HKCU "Software\Microsoft\Windows\CurrentVersion\App Paths\launchpad-desktop.exe" "" "$INSTDIR\launchpad-desktop.exe"
  System::Call 'shell32::SHChangeNotify(i 0x08000000, i 0, p 0, p 0)'
  ${If} $NoPath != "1"
    Call AddToPath
  ${EndIf}
SectionEnd

; The person's own PATH, so that `launchpad` works in a terminal that is opened from now on.
Function AddToPath
  System::Call 'advapi32::RegGetValueW(p -2147483647, w "Environment", w "Path", i 0x1000ffff, p 0, p 0, *i 0 .r1) i .r0'
  ${If} $0 == 0
    IntOp $1 $1 / 2
    StrLen $3 ";;$INSTDIR;"
    IntOp $1 $1 + $3
    ${If} $1 > ${MAX_PATH_VARIABLE}
      DetailPrint "PATH is too long to be changed; add $INSTDIR yourself."
      Return
    ${EndIf}
    ClearErrors
    ReadRegStr $2 HKCU "Environment" "Path"
    ${If} ${Errors}
      DetailPrint "PATH cannot be read; add $INSTDIR yourself."
      Return
    ${EndIf}
  ${ElseIf} $0 == 2 ; there is none
    StrCpy $2 ""
  ${Else}
    DetailPrint "PATH cannot be read; add $INSTDIR yourself."
    Return
  ${EndIf}
  ${StrStr} $3 ";$2;" ";$INSTDIR;"
  ${If} $3 != ""
    Return
  ${EndIf}
  ${If} $2 == ""
    WriteRegExpandStr HKCU "Environment" "Path" "$INSTDIR"
  ${Else}
    WriteRegExpandStr HKCU "Environment" "Path" "$2;$INSTDIR"
  ${EndIf}
  SendMessage 0xFFFF 0x001A 0 "STR:Environment" /TIMEOUT=5000
FunctionEnd

Function un.RemoveFromPath
  System::Call 'advapi32::RegGetValueW(p -2147483647, w "Environment", w "Path", i 0x1000ffff, p 0, p 0, *i 0 .r1) i .r0'
  ${If} $0 != 0
    Return
  ${EndIf}
  IntOp $1 $1 / 2
  ${If} $1 > ${MAX_PATH_VARIABLE}
    Return ; it would be cut off
  ${EndIf}
  ReadRegStr $2 HKCU "Environment" "Path"
  ${UnStrRep} $3 ";$2;" ";$INSTDIR;" ";"
  ${If} $3 == ";$2;"
    Return
  ${EndIf}
  StrCpy $3 $3 "" 1 ; without the two that were put around it
  StrCpy $3 $3 -1
  ${If} $3 == ""
    DeleteRegValue HKCU "Environment" "Path"
  ${Else}
    WriteRegExpandStr HKCU "Environment" "Path" "$3"
  ${EndIf}
  SendMessage 0xFFFF 0x001A 0 "STR:Environment" /TIMEOUT=5000
FunctionEnd

Function un.onInit
  ${GetParameters} $R0
  ClearErrors
  ${GetOptions} $R0 "/UPGRADE" $R1
  ${IfNot} ${Errors}
    StrCpy $Upgrade "1"
  ${EndIf}
  ClearErrors
  ${GetOptions} $R0 "/DELETEDATA" $R1
  ${IfNot} ${Errors}
    StrCpy $DeleteData "1"
  ${EndIf}
FunctionEnd

Section "Uninstall"
  SetShellVarContext current
  Call un.WaitUntilEnded
  ; Only what was installed: a person may have put files of their own into the folder.
  !include "${FILES}\uninstall.nsh"
  ${If} $Upgrade != "1"
    Delete "$INSTDIR\uninstall.exe"
    RMDir "$INSTDIR"
    Delete "$SMPROGRAMS\Launchpad\Launchpad.lnk"
    Delete "$SMPROGRAMS\Launchpad\Uninstall Launchpad.lnk"
    RMDir "$SMPROGRAMS\Launchpad"
    DeleteRegKey HKCU "${UNINSTALL}"
    DeleteRegKey HKCU "${CLASSES}\Launchpad.Slide"
    !include "${FILES}\no_types.nsh"
    DeleteRegKey HKCU "${CLASSES}\launchpad"
    DeleteRegKey HKCU "Software\Microsoft\Windows\CurrentVersion\App Paths\launchpad-desktop.exe"
    System::Call 'shell32::SHChangeNotify(i 0x08000000, i 0, p 0, p 0)'
    Call un.RemoveFromPath
    RMDir /r "$LOCALAPPDATA\launchpad\Cache" ; can all be made again
    ${If} $DeleteData != "1"
    ${AndIf} ${FileExists} "$LOCALAPPDATA\launchpad\*.*"
      MessageBox MB_YESNO|MB_ICONQUESTION|MB_DEFBUTTON2 "Delete your data, too? These are settings, drafts, downloaded results and the runs of this computer, in $LOCALAPPDATA\launchpad. This cannot be undone." /SD IDNO IDNO keep
      StrCpy $DeleteData "1"
      keep:
    ${EndIf}
    ${If} $DeleteData == "1"
      RMDir /r "$LOCALAPPDATA\launchpad"
    ${EndIf}
  ${EndIf}
SectionEnd
